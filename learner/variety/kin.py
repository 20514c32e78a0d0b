"""Which items may be variants of one thing: by the group that the app gave them, else by the stem
of their title and their brand. It knows nothing about lists.

Each is a number made of the words alone, so any order of announcements gives the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown
from learner.variety.places import Variety
from upwell.values import CatalogueItem

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["KinTable", "kin_of", "stem"]

_SIZES = re.compile("xxs|xs|s|m|l|xl|xxl|xxxl|small|medium|large|klein|mittel|gross|onesize")
_COLOURS = re.compile(
    "black|white|grey|gray|blue|navy|red|green|yellow|orange|purple|violet|pink|brown|beige|cream|"
    "gold|silver|turquoise|teal|olive|khaki|schwarz|weiss|grau|blau|rot|grün|gruen|gelb|lila|rosa|"
    "braun|silber|türkis|dunkelblau|hellblau|noir|blanc|gris|bleu|rouge|vert|jaune|negro|blanco|"
    "azul|rojo|verde|amarillo"
)
_SHADES = re.compile("light|dark|bright|pale|hell|dunkel")
_TOLD = re.compile(
    "size|gr|grösse|groesse|taille|talla|colour|color|farbe|couleur|eu|uk|us"
)  # casefolded, so ß is ss
_UNITS = "mm|cm|m|ml|cl|l|mg|g|kg|oz|lb|w|v|gb|tb|mb|er|pcs|pack|stück|zoll|inch|in"
_MEASURE = re.compile(rf"\d+(?:[.,]\d+)?(?:x\d+(?:[.,]\d+)?)*(?:{_UNITS})|\d+(?:x\d+)+|\d*x+[sl]")
_UNIT = re.compile(rf"{_UNITS}")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_SIZE_NUMBER = re.compile(r"[3-5]\d(?:[.,]5)?|60")
_BETWEEN = re.compile(r"[\s()\[\]{}|/;:·•–—_-]+")
_ENDS = "\"'“”„.,!"


def stem(title: str, branded: bool = False) -> str:
    """The title, folded, without the words at its end that tell a variant: sizes, colours, amounts
    with a unit, numbers after such a word and, of what has a brand, numbers that are sizes of
    clothes. Empty where nothing else is left. Other numbers are none: `Rocky 2` is no size of
    `Rocky`, and `Episode 40` no size of an episode.
    """
    words = _words(title)
    while words and (taken := _tail(words, branded)):
        del words[-taken:]
    return " ".join(words)


def kin_of(item: CatalogueItem) -> tuple[int, bool]:
    """A number that variants of one thing share, 0 of an item that can be none; and whether the app
    said so, so that nothing else needs to be alike.
    """
    if item.group is not None:
        return _number("group", item.group), True
    name = stem(item.title, item.brand is not None)
    return (_number("stem", name, item.brand or ""), False) if name else (0, False)


class KinTable:
    """`kin_of` by row."""

    def __init__(self) -> None:
        self._kin = np.zeros(0, np.int64)
        self._told = np.zeros(0, np.bool_)

    def put(self, rows: Sequence[int], items: Sequence[CatalogueItem]) -> None:
        """Of the items of these rows; of a row given twice the last one holds."""
        if rows:
            self._grow(max(rows) + 1)
        for row, item in zip(rows, items, strict=True):
            self._kin[row], self._told[row] = kin_of(item)

    def variety(self, vectors: NDArray[np.float32], settings: LearnerSettings) -> Variety:
        """What lists are made by. vectors: (capacity, d) of the rows."""
        self._grow(len(vectors))
        strengths = (settings.diversity, settings.calibration)
        return Variety(self._kin, self._told, vectors, settings.same_group, *strengths)

    def _grow(self, capacity: int) -> None:
        if capacity > len(self._kin):
            capacity = max(capacity, 2 * len(self._kin))
            self._kin, self._told = grown(self._kin, capacity), grown(self._told, capacity)


def _words(title: str) -> list[str]:
    folded = normalize("NFKC", title).casefold().replace("×", "x")
    return [word for one in _BETWEEN.split(folded) if (word := one.strip(_ENDS))]


def _tail(words: Sequence[str], branded: bool) -> int:
    """How many words at the end tell a variant; 0 where none does."""
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if _COLOURS.fullmatch(last):
        return 2 if _SHADES.fullmatch(before) and len(words) > 2 else 1
    if any(one.fullmatch(last) for one in (_SIZES, _TOLD, _MEASURE)):
        return 1
    if branded and _SIZE_NUMBER.fullmatch(last):
        return 1
    if _NUMBER.fullmatch(last) and _TOLD.fullmatch(before):
        return 2
    return 2 if _UNIT.fullmatch(last) and _NUMBER.fullmatch(before) else 0


def _number(*parts: str) -> int:
    """Never 0."""
    text = "\n".join((str(len(parts[0])), *parts)).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True) or 1
