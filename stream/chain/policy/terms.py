"""A list of terms, and where a text has one of them, however it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stream.chain.policy.spelling import (
    Plain,
    Word,
    chunks,
    disguised,
    joined,
    plain,
    readings,
    undisguised,
    unspaced,
    words,
)

__all__ = ["Hit", "Terms"]

STAR = "*"
_LEAST_SHOWN = 2


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """start, end: in the text as it was written. term: as the list has it."""

    start: int
    end: int
    term: str


class Terms:
    """Terms of one or several words; `word*` is any word that begins so. A term in a script without
    spaces is found anywhere, others as whole words alone. allowed: words and phrases that are none,
    whatever they look like.

    Raises `ValueError` where a term has no letter or digit.
    """

    def __init__(self, terms: Iterable[str], allowed: Iterable[str] = ()) -> None:
        self._single: dict[str, str] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self._beginnings: dict[str, str] = {}
        self._longest = 0  # of the beginnings: a word may have as many letters as a text
        self._anywhere: dict[str, str] = {}
        self._lengths: dict[int, list[str]] = defaultdict(list)
        for term in terms:
            self._add(term)
        self._allowed = Terms(allowed) if (allowed := tuple(allowed)) else None

    def __len__(self) -> int:
        phrases = sum(len(some) for some in self._phrases.values())
        return len(self._single) + phrases + len(self._beginnings) + len(self._anywhere)

    def find(self, text: str) -> list[Hit]:
        """Where terms stand, in order; those of several terms may overlap. Never raises."""
        shown = plain(text)
        found = {Hit(*shown.span(start, end), term) for start, end, term in self._hits(shown)}
        if found and self._allowed is not None:
            fine = self._allowed.find(text)
            found = {one for one in found if not any(_within(one, other) for other in fine)}
        return list(_apart(found))

    def _add(self, term: str) -> None:
        shown = undisguised(plain(term).text)
        parts = tuple(word.text for word in words(shown))
        if not parts:
            raise ValueError(f"{term!r} has no letter and no digit")
        if unspaced(shown):
            self._anywhere[shown] = term
        elif len(parts) > 1:
            self._phrases[parts[0]].append((parts, term))
        elif shown.endswith(STAR):
            self._beginnings[parts[0]] = term
            self._longest = max(self._longest, len(parts[0]))
        else:
            self._single[parts[0]] = term
            self._lengths[len(parts[0])].append(parts[0])

    def _hits(self, shown: Plain) -> Iterator[tuple[int, int, str]]:
        """In the plain text."""
        text = shown.text
        found = words(text)
        read = [readings(word.text) for word in found]
        for word, ways in zip(found, read, strict=True):
            yield from ((word.start, word.end, term) for term in self._of_word(ways))
        signed = list(disguised(text))
        for word in signed:
            ways = readings(word.text)
            yield from ((word.start, word.end, term) for term in self._of_word(ways))
            yield from ((word.start, word.end, term) for term in self._starred(word.text))
        for letters, run in joined(text, found):
            yield from self._spelled(letters, run)
        if self._phrases:
            yield from self._of_phrases(found, read)
            apart = chunks(text) if signed else []
            yield from self._of_phrases(apart, [readings(one.text) for one in apart])
        for piece, term in self._anywhere.items():
            start = text.find(piece)
            while start >= 0:
                yield start, start + len(piece), term
                start = text.find(piece, start + 1)

    def _of_word(self, ways: set[str]) -> Iterator[str]:
        for way in ways:
            if (term := self._single.get(way)) is not None:
                yield term
            for end in range(1, min(len(way), self._longest) + 1):
                if (term := self._beginnings.get(way[:end])) is not None:
                    yield term

    def _starred(self, word: str) -> Iterator[str]:
        """A word with stars in the place of some of its letters, not of the first."""
        shown = sum(letter != STAR for letter in word)
        if STAR not in word.strip(STAR) or shown < _LEAST_SHOWN:
            return
        word = word.strip(STAR)
        for single in self._lengths.get(len(word), ()):
            if single[0] == word[0] and all(
                own in (STAR, other) for own, other in zip(word, single, strict=True)
            ):
                yield self._single[single]

    def _spelled(self, letters: str, run: list[Word]) -> Iterator[tuple[int, int, str]]:
        for single, term in self._single.items():
            start = letters.find(single) if len(single) > _LEAST_SHOWN else -1
            while start >= 0:
                yield run[start].start, run[start + len(single) - 1].end, term
                start = letters.find(single, start + 1)

    def _of_phrases(
        self, found: list[Word], read: list[set[str]]
    ) -> Iterator[tuple[int, int, str]]:
        for place, ways in enumerate(read):
            for way in ways:
                for parts, term in self._phrases.get(way, ()):
                    others = read[place : place + len(parts)]
                    if len(others) == len(parts) and all(
                        part in own for part, own in zip(parts, others, strict=True)
                    ):
                        yield found[place].start, found[place + len(parts) - 1].end, term


def _apart(found: Iterable[Hit]) -> Iterator[Hit]:
    """In order, of each term without what lies within another hit of it."""
    ends: dict[str, int] = {}
    for one in sorted(found, key=lambda hit: (hit.start, -hit.end, hit.term)):
        if one.end > ends.get(one.term, -1):
            ends[one.term] = one.end
            yield one


def _within(hit: Hit, other: Hit) -> bool:
    return other.start <= hit.start and hit.end <= other.end
