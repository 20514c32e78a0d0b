"""The words of a text as a classifier sees them: each with what it may be read as, and each of its
readings as hashed character n-grams within the bounds of a word (fastText, arXiv:1607.04606).

It does not know which n-grams are harmful.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from stream.chain.policy.spelling import Word, disguised, joined, plain, readings, words

__all__ = ["BUCKETS", "Token", "bucket", "grams", "tokens"]

BUCKETS = 1 << 16
"""Of hashes: a power of two."""
_SHORTEST, _LONGEST = 2, 5
_STAR = "*"

Token = tuple[str, ...]
"""What one word may be read as, the reading with the fewest letters and signs in it first."""


def tokens(text: str) -> list[Token]:
    """Of each word its readings, in the order of the text. A word with signs in it, and letters one
    by one, are one word. Never raises.
    """
    shown = plain(text).text
    found = words(shown)
    whole: list[tuple[Word, set[str]]] = []
    for signed in disguised(shown):
        parts = " ".join(one.text for one in words(signed.text))
        whole.append((signed, readings(signed.text) | {parts}))
    for letters, run in joined(shown, found):
        whole.append((Word(letters, run[0].start, run[-1].end), readings(letters)))
    covered = {place for one, _ in whole for place in range(one.start, one.end)}
    whole += [(one, readings(one.text)) for one in found if one.start not in covered]
    whole.sort(key=lambda one: (one[0].start, one[0].end))
    return [tuple(sorted(ways, key=_plainest)) for _, ways in whole if any(ways)]


def _plainest(reading: str) -> tuple[int, int, str]:
    signs = sum(not letter.isalpha() for letter in reading)
    return signs, len(reading), reading


def grams(reading: str) -> Iterator[str]:
    """The n-grams of two to five characters and the word itself, `<` and `>` at its ends; none over
    a star, which stands for a letter that nobody knows.
    """
    for word in reading.split():
        bounded = f"<{word}>"
        for length in range(_SHORTEST, _LONGEST + 1):
            for start in range(len(bounded) - length + 1):
                gram = bounded[start : start + length]
                if _STAR not in gram:
                    yield gram
        if len(bounded) > _LONGEST and _STAR not in bounded:
            yield bounded


def bucket(gram: str) -> int:
    """The same on every machine."""
    return crc32(gram.encode("utf-8", "surrogatepass")) & (BUCKETS - 1)
