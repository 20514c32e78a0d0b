"""Text as a reader takes it, whatever was done to its letters to hide a word: width, case, accents,
letters of other alphabets that look alike, digits and signs in the place of letters, letters drawn
out, spaced or starred.

Words come with the place that they have in the text as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from unicodedata import category, normalize

__all__ = [
    "Plain",
    "Word",
    "chunks",
    "disguised",
    "joined",
    "plain",
    "readings",
    "undisguised",
    "unspaced",
    "words",
]

_INVISIBLE = "Cf"
_ALIKE = str.maketrans("авгеикмнорстухьіјѕԁɡαβεικνορτυχ", "abreukmhopctyxbijsdgabeikvoptux")
"""Cyrillic and Greek letters by the Latin ones that they look like; read so within words that have
Latin letters too.
"""
_SIGNS = {"0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_SIGNS |= {"!": "i", "|": "il", "€": "e", "+": "t"}
_BARE = str.maketrans({sign: letters[0] for sign, letters in _SIGNS.items() if sign in "@$€+|"})
_MOST_READINGS = 16
_WORD = re.compile(r"[^\W_]+")
_CHUNK = re.compile(r"\S+")
_DISGUISED = re.compile(
    r"(?<![^\W_])(?<![@$!|€+*])"  # not within one, or a long one is read as often as it has letters
    r"(?:[^\W_]*+(?:[@$!|€+*]++[^\W_]++)++[@$!|€+]*+|[^\W_]++[@$!|€+]++)"
)
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_GAP = re.compile(r"[\s\W_]{1,3}")


@dataclass(frozen=True, slots=True)
class Plain:
    """text: in one width and case, without accents and what cannot be seen. at: of each of its
    characters the place in the text as it was written.
    """

    text: str
    at: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Of characters here the places in the text as it was written."""
        return (start, end) if self.at is None else (self.at[start], self.at[end - 1] + 1)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and where it stands in the plain text."""

    text: str
    start: int
    end: int


def plain(text: str) -> Plain:
    """The text as it is compared."""
    if text.isascii():
        return Plain(text.lower(), None)
    letters: list[str] = []
    at: list[int] = []
    for place, letter in enumerate(text):
        if category(letter) != _INVISIBLE:
            kept = [one for one in normalize("NFKD", letter).casefold() if not _is_accent(one)]
            letters += kept
            at += [place] * len(kept)
    return Plain("".join(letters), tuple(at))


def _is_accent(letter: str) -> bool:
    """Of Latin, Greek and Cyrillic letters; in other scripts a mark is a letter of its own."""
    return "\u0300" <= letter <= "\u036f"


def words(text: str) -> list[Word]:
    """The words of plain text, in their order."""
    return [Word(one.group(), *one.span()) for one in _WORD.finditer(text)]


def disguised(text: str) -> Iterator[Word]:
    """Words of plain text with signs among their letters."""
    for one in _DISGUISED.finditer(text):
        yield Word(one.group(), *one.span())


def chunks(text: str) -> list[Word]:
    """What stands between white space in plain text, signs and all."""
    return [Word(one.group(), *one.span()) for one in _CHUNK.finditer(text)]


def undisguised(term: str) -> str:
    """A term of plain text whose letters are signs in part, with the letters: `a$$` is no `a`."""
    return " ".join(
        chunk.translate(_BARE) if any(map(str.isalnum, chunk)) else chunk for chunk in term.split()
    )


def unspaced(text: str) -> bool:
    """Whether it is written in a script without spaces between words."""
    return _UNSPACED.search(text) is not None


def readings(word: str) -> set[str]:
    """What a word of plain text may be read as, itself first of all; few, whatever it is.

    Signs and digits are read as letters where there is a letter, and digits are at most half.
    """
    found = {word}
    if any("a" <= letter <= "z" for letter in word):
        found.add(word.translate(_ALIKE))
    letters, digits = sum(map(str.isalpha, word)), sum(map(str.isdigit, word))
    if letters and digits <= len(word) - digits and any(one in _SIGNS for one in word):
        found |= _without_signs(word) | _without_signs(word.rstrip("!|+$"))
    return found | {short for one in found for short in _shortened(one)}


def _without_signs(word: str) -> set[str]:
    choices = [_SIGNS.get(letter, letter) for letter in word]
    ways = 1
    for choice in choices:
        ways *= len(choice)
    if ways > _MOST_READINGS:
        choices = [choice[0] for choice in choices]
    return {"".join(letters) for letters in product(*choices)} | {word}


def _shortened(word: str) -> set[str]:
    """Letters that are drawn out once, and twice."""
    if _DRAWN_OUT.search(word) is None:
        return set()
    return {_DRAWN_OUT.sub(r"\1", word), _DRAWN_OUT.sub(r"\1\1", word)}


def joined(text: str, found: list[Word]) -> Iterator[tuple[str, list[Word]]]:
    """Runs of three single letters or more, each a little apart from the one before: `b a d`,
    `b.a.d`; the letters as one word, and each with its place.
    """
    run: list[Word] = []
    for before, word in pairwise([None, *found, None]):
        near = word is not None and len(word.text) == 1 and (not run or _is_gap(text, before, word))
        if near and word is not None:
            run.append(word)
            continue
        if len(run) > 2:
            yield "".join(one.text for one in run), run
        run = [word] if word is not None and len(word.text) == 1 else []
    if len(run) > 2:
        yield "".join(one.text for one in run), run


def _is_gap(text: str, before: Word | None, word: Word) -> bool:
    return before is not None and _GAP.fullmatch(text[before.end : word.start]) is not None
