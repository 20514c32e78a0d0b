"""A fake encoder that says what it was asked, and waits at a gate, so that tests see an order
instead of guessing at times; and kept vectors by number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from encoders.kept import KeptVectors
from upwell.values import Vector

__all__ = [
    "DIMENSION",
    "ENOUGH_BYTES",
    "KEPT_MODEL",
    "FakeEncoder",
    "GatedEncoder",
    "Said",
    "holds",
    "kept_vector",
    "key_of",
    "opened",
    "some",
    "vector_of",
]

DIMENSION = 4
WAIT_SECONDS = 30.0
Said = Callable[[], list[str]]
"""What was said since the last call."""


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


KEPT_MODEL = "model@abc/mean/float32"
ENOUGH_BYTES = 10**9


def opened(folder: Path, model: str = KEPT_MODEL, most_bytes: int = ENOUGH_BYTES) -> KeptVectors:
    return KeptVectors(folder, model, DIMENSION, most_bytes)


def key_of(number: int) -> bytes:
    return number.to_bytes(16, "little")


def kept_vector(number: int) -> Vector:
    vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def some(*numbers: int) -> dict[bytes, Vector]:
    return {key_of(number): kept_vector(number) for number in numbers}


def holds(kept: KeptVectors, *numbers: int) -> bool:
    found = kept.read([key_of(number) for number in numbers])
    return len(found) == len(numbers) and all(
        (found[key_of(number)] == kept_vector(number)).all() for number in numbers
    )
