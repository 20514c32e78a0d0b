"""A deterministic encoder without a model, for tests alone: words and pairs of words hashed to
signs and places.

Texts that share words are near. It understands nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from upwell.values import Vector

__all__ = ["HashingEncoder"]

_WORD = re.compile(r"\w+")
_PAIR_WEIGHT = 0.5


class HashingEncoder:
    """dimension: of the vectors. The same in every process. Safe to call from several threads: it
    has no state.
    """

    def __init__(self, dimension: int = 64) -> None:
        self._dimension = dimension

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def revision(self) -> str:
        return f"hashing-{self._dimension}"

    def encode(self, texts: Sequence[str]) -> Vector:
        """(n, dimension) float32, unit rows."""
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            words = _WORD.findall(text.casefold()) or [""]
            for word in words:
                self._add(vector, word, 1.0)
            for first, second in pairwise(words):
                self._add(vector, f"{first} {second}", _PAIR_WEIGHT)
            if not vector.any():
                vector[0] = 1.0  # words that cancel out
            vector /= np.linalg.norm(vector)
        return vectors

    def _add(self, vector: Vector, gram: str, weight: float) -> None:
        code = int.from_bytes(
            blake2b(gram.encode("utf-8", "replace"), digest_size=8).digest(), "little"
        )
        vector[code % self._dimension] += weight if code >> 63 else -weight
