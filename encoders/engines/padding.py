"""What any engine does around a model: texts made fit to be read, token lists filled up to one
length, batch after batch. It knows no engine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.batching import token_batches
from upwell.values import Vector

__all__ = ["MAX_TOKENS", "TOKEN_BUDGET", "Tally", "clean", "in_batches", "padded"]

TOKEN_BUDGET = 1_024  # padded tokens a batch; 512 and 2,048 are as fast, 8,192 loses a third
MAX_TOKENS = 256
MAX_CHARACTERS = (
    64 * MAX_TOKENS
)  # so that a text of megabytes is not tokenized to the end for its first 256 tokens


class Tally:
    """How many tokens a model has read, counted by several threads."""

    def __init__(self) -> None:
        self.tokens = 0
        self._lock = threading.Lock()

    def add(self, tokens: int) -> None:
        """So many more."""
        with self._lock:
            self.tokens += tokens


def clean(texts: Sequence[str]) -> list[str]:
    """As a tokenizer takes them: a lone surrogate is a question mark, what is far too long is
    cut.
    """
    return [text[:MAX_CHARACTERS].encode("utf-8", "replace").decode() for text in texts]


def padded(
    tokens: Sequence[Sequence[int]], pad: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """ids and mask, both (B, longest): 1 in the mask where a token is the text's own."""
    longest = max(len(one) for one in tokens)
    ids = np.full((len(tokens), longest), pad, np.int64)
    mask = np.zeros((len(tokens), longest), np.int64)
    for row, one in enumerate(tokens):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return ids, mask


def in_batches(
    tokens: Sequence[Sequence[int]],
    pooled: Callable[[Sequence[Sequence[int]]], Vector],
    dimension: int,
    tally: Tally,
) -> Vector:
    """(n, dimension): `pooled` of all, those of about the same length together."""
    vectors = np.empty((len(tokens), dimension), dtype=np.float32)
    lengths = [len(one) for one in tokens]
    for batch in token_batches(lengths, TOKEN_BUDGET):
        vectors[batch] = pooled([tokens[index] for index in batch])
    tally.add(sum(lengths))
    return vectors
