"""A text as hashed character n-grams and words: what a spelling says that a language model does not
read.
"""

from __future__ import annotations

from typing import NamedTuple
from unicodedata import normalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "Ngrams", "ngrams", "words_of"]

BUCKETS = 1 << 14
CHARACTERS = 1_000  # of a text, the first so many
_LENGTHS = (3, 4, 5)


class Ngrams(NamedTuple):
    """columns: (n,) distinct buckets. value: of each, so that the whole has length 1."""

    columns: NDArray[np.int64]
    value: float


def words_of(text: str) -> list[str]:
    """Its words, casefolded, without signs at their ends."""
    folded = normalize("NFKC", text[:CHARACTERS]).casefold()
    return [word for one in folded.split() if (word := one.strip(".,;:!?\"'()[]{}«»„“”¿¡…"))]


def ngrams(text: str) -> Ngrams:
    """Of 3 to 5 characters and of whole words; one at least."""
    words = words_of(text)
    line = f" {' '.join(words)} "
    found = {f"={word}" for word in words}
    for length in _LENGTHS:
        found.update(line[at : at + length] for at in range(len(line) - length + 1))
    columns = sorted({crc32(one.encode()) % BUCKETS for one in found}) or [0]
    return Ngrams(np.array(columns, np.int64), 1.0 / float(np.sqrt(len(columns))))
