"""Which titles are written like a query: an inverted index of their character n-grams, so that an
exact title is found in any script, also where the encoder knows none of its words.

It knows rows and titles, nothing about vectors.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import nsmallest
from itertools import islice
from math import log, sqrt
from unicodedata import normalize

__all__ = ["NAMED", "LexicalIndex", "folded", "grams"]

NAMED = 0.8
"""Likeness from which a query names a title."""
CHARACTERS = 200  # of a title or a query, the first so many
POSTINGS = 20_000  # that a query visits at most, its rarest first: 8 ms among 100,000 titles
_COMPARED = 50  # titles whose likeness is computed exactly
_SELECTORS = dict.fromkeys((0xFE0E, 0xFE0F))  # how an emoji is drawn, not which


def folded(text: str) -> str:
    """NFKC, casefolded, one space between words and at both ends; empty where nothing is left."""
    words = normalize("NFKC", text[:CHARACTERS]).casefold().translate(_SELECTORS).split()
    return f" {' '.join(words)} " if words else ""


def grams(text: str) -> frozenset[str]:
    """Character n-grams, n = 2 and 3, of a folded text."""
    return frozenset(text[at : at + n] for n in (2, 3) for at in range(len(text) - n + 1))


class LexicalIndex:
    """Titles by row. Not thread-safe.

    A replaced title's n-grams stay in the postings until they are more than those that hold; what
    is found is compared with the title as it is now.
    """

    def __init__(self) -> None:
        self._titles: dict[int, str] = {}
        self._held: Counter[str] = Counter()  # titles with this n-gram
        self._postings: defaultdict[str, array[int]] = defaultdict(lambda: array("i"))
        self._live = 0
        self._stale = 0

    def put(self, row: int, title: str | None) -> None:
        """The row's title from now on; None withdraws it."""
        new = folded(title or "")
        before = self._titles.pop(row, "")
        if new:
            self._titles[row] = new
        if new != before:
            self._move(row, grams(before), grams(new))

    def search(self, words: str, most: int) -> list[tuple[int, float]]:
        """The `most` rows whose titles are written most like `words`, with their likeness in
        (0, 1]: the cosine of both n-gram sets, rare n-grams counting more. Best first.
        """
        asked = grams(folded(words))
        known = sorted((gram for gram in asked if self._held[gram]), key=self._rarity)
        partly: defaultdict[int, float] = defaultdict(float)
        left = POSTINGS
        for gram in known:
            worth = self._worth(gram) ** 2
            posting = self._postings[gram]
            for row in islice(posting, left):
                partly[row] += worth
            left -= len(posting)
            if left <= 0:
                break
        near = nsmallest(max(_COMPARED, most), ((-worth, row) for row, worth in partly.items()))
        exact = [(row, self._likeness(asked, row)) for _, row in near if row in self._titles]
        exact.sort(key=lambda one: (-one[1], one[0]))
        return [one for one in exact[:most] if one[1] > 0.0]

    def _rarity(self, gram: str) -> tuple[int, str]:
        return self._held[gram], gram

    def _worth(self, gram: str) -> float:
        """Its inverse document frequency; that of an n-gram in no title is the highest."""
        return log(1.0 + len(self._titles) / max(1, self._held[gram]))

    def _likeness(self, asked: frozenset[str], row: int) -> float:
        own = grams(self._titles[row])
        return self._square(asked & own) / sqrt(self._square(asked) * self._square(own))

    def _square(self, some: Iterable[str]) -> float:
        return sum(self._worth(gram) ** 2 for gram in sorted(some))

    def _move(self, row: int, before: frozenset[str], new: frozenset[str]) -> None:
        self._held.subtract(before - new)
        self._held.update(new - before)
        for gram in new - before:
            self._postings[gram].append(row)
        self._live += len(new) - len(before)
        self._stale += len(before - new)
        if self._stale > max(self._live, CHARACTERS):
            self._anew()

    def _anew(self) -> None:
        self._held.clear()
        self._postings.clear()
        self._stale = 0
        for row, title in self._titles.items():
            own = grams(title)
            self._held.update(own)
            for gram in own:
                self._postings[gram].append(row)
