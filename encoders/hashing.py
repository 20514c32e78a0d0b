"""A deterministic encoder without a model, for tests alone: words hashed to signs and places. Texts that share words are near."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from upwell.values import Vector

__all__ = ["HashingEncoder"]

_WORD = re.compile(r"\w+")


class HashingEncoder:
    """dimension: of the vectors. The same in every process."""

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
            for word in _WORD.findall(text.casefold()) or [""]:
                code = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little")
                vector[code % self._dimension] += 1.0 if code >> 63 else -1.0
            if not vector.any():
                vector[0] = 1.0  # words that cancel out
            vector /= np.linalg.norm(vector)
        return vectors
