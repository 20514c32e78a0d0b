"""Text as the expressions read it: one width, ASCII digits, one kind of space and of hyphen,
nothing that is not seen; and where each of its characters came from, so that the text itself stays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Folded", "Span", "fold"]

Span = tuple[int, int, str]
"""First character, the one after the last, and what stands there instead."""

_DOTS = "。｡．․"  # of domain names too (UTS #46)
_ON_THE_LAST = ("Mn", "Me")  # what is drawn on the character before, as the frame of a keycap is
_MARK = "m"  # a combining mark belongs to its word


@dataclass(frozen=True, slots=True)
class Folded:
    """shown: the text as it came. text: the same folded. origin: of each folded character the index
    of the shown one that it came from; None where both are the same.
    """

    shown: str
    text: str
    origin: list[int] | None

    def replace(self, spans: Iterable[Span]) -> str:
        """The shown text with `spans` (of the folded text, in its order) replaced."""
        kept: list[str] = []
        done = 0
        for first, last, word in spans:
            start, end = self._place(first), self._place(last - 1) + 1
            while end < len(self.shown) and unicodedata.category(self.shown[end]) in _ON_THE_LAST:
                end += 1
            kept += [self.shown[done:start], word]
            done = end
        return "".join(kept) + self.shown[done:]

    def _place(self, index: int) -> int:
        return index if self.origin is None else self.origin[index]


def fold(shown: str) -> Folded:
    """NFKC (UAX #15) a character at a time, digits of all scripts as 0 to 9, spaces and hyphens as
    one each. Takes linear time.
    """
    if shown.isascii():
        return Folded(shown, shown, None)
    text: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(shown):
        for one in character if character.isascii() else _folded(character):
            text.append(one)
            origin.append(index)
    return Folded(shown, "".join(text), origin)


@lru_cache(maxsize=4_096)
def _folded(character: str) -> str:
    """Of one character; empty for what is not seen: joiners, marks of direction, selectors of an
    emoji's form.
    """
    if character in _DOTS:
        return "."
    wide = unicodedata.normalize("NFKC", character)
    if len(wide) > 1 and not wide.isalnum():  # ½ is no number of 1 and 2, ⑴ no brackets
        return _plain(character)
    return "".join(map(_plain, wide))


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    match kind:
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd":
            return "-"
        case "Zs":
            return " "
        case "Cf" | "Me":
            return ""
        case "Mn" | "Mc":
            return "" if "\ufe00" <= character <= "\ufe0f" else _MARK
        case _:
            return "-" if character == "\N{MINUS SIGN}" else character
