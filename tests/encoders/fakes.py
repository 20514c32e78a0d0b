"""A fake encoder that says what it was asked, and waits at a gate, so that tests see an order
instead of guessing at times.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from upwell.values import Vector

__all__ = ["DIMENSION", "FakeEncoder", "GatedEncoder", "vector_of"]

DIMENSION = 4
WAIT_SECONDS = 30.0


def vector_of(text: str) -> Vector:
    """What the fakes give for a text: the unit vector of its length."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[len(text) % DIMENSION] = 1.0
    return vector


class FakeEncoder:
    """`calls`: the texts of each call. `failure`: raised instead of an answer."""

    dimension = DIMENSION
    revision = "fake"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.failure: BaseException | None = None

    def encode(self, texts: Sequence[str]) -> Vector:
        self.calls.append(list(texts))
        if self.failure is not None:
            raise self.failure
        return np.stack([vector_of(text) for text in texts])


class GatedEncoder(FakeEncoder):
    """`entered` is set while a call waits at the gate; `let_pass` lets so many calls through."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self._passes = threading.Semaphore(0)

    def let_pass(self, calls: int = 1) -> None:
        self._passes.release(calls)

    def encode(self, texts: Sequence[str]) -> Vector:
        self.entered.set()
        assert self._passes.acquire(timeout=WAIT_SECONDS), "nobody opened the gate"
        return super().encode(texts)
