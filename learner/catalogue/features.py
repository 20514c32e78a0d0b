"""What the catalogue says of items beside their text: categories, brand, price, the year that a
title names, and the order in which items were announced.

An item is like a user's taste where their categories are, rare categories counting more; people who
walk through a listing come by items announced near each other. It knows nothing about events.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel, room
from learner.catalogue.prices import Prices, PriceTable
from upwell.values import CatalogueItem

__all__ = [
    "CATEGORIES",
    "NEWEST",
    "FeatureTable",
    "Features",
    "add_categories",
    "add_taste",
    "distance",
    "read_tastes",
    "year_of",
]

CATEGORIES = 8  # of an item, the first so many
NEWEST = 16  # of a brand that are known by it
TASTE_DECAY = 0.95
TASTE_OF_DISLIKED = -0.3
_BULK = 64  # announcements at once from which all that stands behind the first is sorted anew

_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)", re.ASCII)

_Key = tuple[int, int, str, int]


class Features(NamedTuple):
    """categories: (N, 8) codes, -1 where fewer. worth: (C,) log of how rare a category is. year:
    (N,) that the title names, 0 where it names none. prices: see there. brand: (N,) code, -1 where
    it has none. newest: (B, 16) of each brand, the last announced first, -1 where fewer.

    position: (N,) place in the order of announcement, -1 where never announced. order: (M,) rows in
    that order. since: (N,) of the newest announcement, UTC ms, -1 where never announced.
    """

    categories: NDArray[np.int32]
    worth: NDArray[np.float32]
    year: NDArray[np.int16]
    prices: Prices
    brand: NDArray[np.int32]
    newest: NDArray[np.int32]
    position: NDArray[np.int32]
    order: NDArray[np.int32]
    since: NDArray[np.int64]


@kernel
def _square(categories: NDArray[np.int32], worth: NDArray[np.float32], row: int, place: int) -> Any:
    code = categories[row, place]
    return worth[code] * worth[code] if code >= 0 else np.float32(0.0)


@kernel
def _four(categories: NDArray[np.int32], worth: NDArray[np.float32], row: int, start: int) -> Any:
    one = _square(categories, worth, row, start) + _square(categories, worth, row, start + 1)
    return one + (
        _square(categories, worth, row, start + 2) + _square(categories, worth, row, start + 3)
    )


@kernel
def _norm(categories: NDArray[np.int32], worth: NDArray[np.float32], row: int) -> Any:
    """The length of an item's worths, summed in pairs: float32."""
    return np.sqrt(_four(categories, worth, row, 0) + _four(categories, worth, row, 4))


@kernel
def add_categories(features: Features, row: int, weight: float, taste: NDArray[np.float32]) -> None:
    """Adds an item's worths, at length `weight`, to taste (C,)."""
    norm = _norm(features.categories, features.worth, row)
    if norm > 0.0:
        share = weight / norm
        for place in range(CATEGORIES):
            code = features.categories[row, place]
            if code >= 0:
                taste[code] += np.float32(share * features.worth[code])


@kernel
def add_taste(
    features: Features,
    history: NDArray[np.int32],
    liked: NDArray[np.bool_],
    taste: NDArray[np.float32],
) -> None:
    """Fills taste (C,) from a history, newest first: worths of what was liked, less some of what
    was not, fading by place.
    """
    taste[:] = 0.0
    fade = 1.0
    for place in range(len(history)):
        weight = fade * (1.0 if liked[place] else TASTE_OF_DISLIKED)
        add_categories(features, history[place], weight, taste)
        fade *= TASTE_DECAY


@kernel
def read_tastes(
    features: Features,
    tastes: NDArray[np.float32],
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (t, n) how much of each of the tastes (t, C) the categories of the items `found` meet; 0
    for an item without.
    """
    categories, worth = features.categories, features.worth
    for position in range(len(found)):
        row = found[position]
        norm = _norm(categories, worth, row)
        for which in range(len(tastes)):
            total = 0.0
            for place in range(CATEGORIES):
                code = categories[row, place]
                if code >= 0:
                    total += tastes[which, code] * worth[code]
            out[which, position] = total / norm if norm > 0.0 else 0.0


@kernel
def distance(features: Features, start: int, row: int) -> int:
    """How many announcements `row` came after `start`, negative where before, 0 where either was
    never announced.
    """
    if features.position[start] < 0 or features.position[row] < 0:
        return 0
    return int(features.position[row] - features.position[start])


def year_of(title: str) -> int:
    """The last one that a title names, 1500 to 2099; 0 where it names none."""
    found = _YEAR.findall(title)
    return int(found[-1]) if found else 0


class FeatureTable:
    """Owns the arrays, and changes them where an announcement changes something.

    The order is by the announcement's `ts`, then the shorter id, then the id: the same in every
    process.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._counts = np.zeros(0, np.int64)  # (C,) items of each category
        self._categories = np.zeros((0, CATEGORIES), np.int32)
        self._year = np.zeros(0, np.int16)
        self._prices = PriceTable()
        self._newest = np.zeros((0, NEWEST), np.int32)
        self._brands: dict[str, int] = {}
        self._of_brand: list[list[_Key]] = []
        self._brand, self._position = np.zeros(0, np.int32), np.zeros(0, np.int32)
        self._order, self._since = np.zeros(0, np.int32), np.zeros(0, np.int64)
        self._keys: list[_Key] = []
        self._key_of: dict[int, _Key] = {}
        self._state: Features | None = None

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        before = len(self._position)
        if capacity > before:
            self._categories = grown(self._categories, capacity)
            self._year = grown(self._year, capacity)
            self._prices.grow(capacity)
            self._brand = grown(self._brand, capacity)
            self._position = grown(self._position, capacity)
            self._order, self._since = grown(self._order, capacity), grown(self._since, capacity)
            for one in (self._categories, self._brand, self._position, self._since):
                one[before:] = -1
            self._state = None

    def put(self, rows: Sequence[int], items: Sequence[CatalogueItem]) -> None:
        """Sets the features of distinct `rows`."""
        codes = [self._categorize(row, item) for row, item in zip(rows, items, strict=True)]
        if self._prices.put(rows, [item.price for item in items], codes):
            self._state = None
        self._year[np.array(rows, np.intp)] = [year_of(item.title) for item in items]
        self._since[np.array(rows, np.intp)] = [item.ts for item in items]
        keys = [
            (item.ts, len(item.item_id), item.item_id, row)
            for row, item in zip(rows, items, strict=True)
        ]
        for key, item in zip(keys, items, strict=True):
            self._put_brand(key, item.brand)
        changed = [key for key in keys if self._key_of.get(key[-1]) != key]
        if changed:
            self._place(changed)
            self._state = None

    @property
    def state(self) -> Features:
        """The arrays as kernels take them; valid until the next `put` or `grow`."""
        if self._state is None:
            self._state = Features(
                self._categories,
                self._worth(),
                self._year,
                self._prices.state,
                self._brand,
                self._newest,
                self._position,
                self._order[: len(self._keys)],
                self._since,
            )
        return self._state

    def count_prices(self) -> dict[str, int]:
        """See `PriceTable.count`."""
        return self._prices.count(self._categories, self._position >= 0)

    def _categorize(self, row: int, item: CatalogueItem) -> tuple[list[int], list[int]]:
        """The codes of before, and those of now."""
        codes = [
            self._codes.setdefault(one, len(self._codes)) for one in dict.fromkeys(item.categories)
        ][:CATEGORIES]
        before = [code for code in self._categories[row].tolist() if code >= 0]
        if codes != before:
            self._counts = grown(self._counts, room(len(self._codes), len(self._counts)))
            self._counts[before] -= 1
            self._counts[codes] += 1
            self._categories[row] = -1
            self._categories[row, : len(codes)] = codes
            self._state = None
        return before, codes

    def _put_brand(self, key: _Key, brand: str | None) -> None:
        """Before the key is taken over: the one of before stands in the list of its brand."""
        row, code = key[-1], -1
        if brand is not None:
            code = self._brands.setdefault(brand, len(self._brands))
        before, old = int(self._brand[row]), self._key_of.get(row)
        if (before, old) == (code, key):
            return
        if before >= 0 and old is not None:
            keys = self._of_brand[before]
            del keys[bisect_left(keys, old)]
            self._list_newest(before)
        self._brand[row] = code
        if code >= 0:
            if code == len(self._of_brand):
                self._of_brand.append([])
                self._newest = grown(self._newest, room(code + 1, len(self._newest)))
            insort(self._of_brand[code], key)
            self._list_newest(code)
        self._state = None

    def _list_newest(self, code: int) -> None:
        rows = [key[-1] for key in self._of_brand[code][: -NEWEST - 1 : -1]]
        self._newest[code] = -1
        self._newest[code, : len(rows)] = rows

    def _place(self, changed: Sequence[_Key]) -> None:
        """Moves rows to the places of their new keys, and what stands behind the first of them."""
        before = [self._key_of[key[-1]] for key in changed if key[-1] in self._key_of]
        first = min(bisect_left(self._keys, key) for key in (*before, *changed))
        behind = self._order[first : len(self._keys)]
        behind = behind[~np.isin(behind, [key[-1] for key in before])]
        self._key_of.update((key[-1], key) for key in changed)
        self._sort(before, changed)
        rows = np.array([key[-1] for key in sorted(changed)], np.int32)
        places = [bisect_left(self._keys, key) for key in sorted(changed)]
        behind = np.insert(behind, np.array(places) - first - np.arange(len(rows)), rows)
        self._order[first : len(self._keys)] = behind
        self._position[behind] = np.arange(first, len(self._keys), dtype=np.int32)

    def _sort(self, before: Sequence[_Key], changed: Sequence[_Key]) -> None:
        if len(changed) >= _BULK:
            first = min(bisect_left(self._keys, key) for key in (*before, *changed))
            gone = set(before)
            behind = [key for key in self._keys[first:] if key not in gone]
            self._keys[first:] = sorted([*behind, *changed])
            return
        for key in before:
            del self._keys[bisect_left(self._keys, key)]
        for key in changed:
            insort(self._keys, key)

    def _worth(self) -> NDArray[np.float32]:
        counts = self._counts[: max(1, len(self._codes))]
        worth = np.zeros(room(len(counts), 0), np.float32)
        worth[: len(counts)] = np.log(max(1, len(self._keys)) / np.maximum(counts, 1.0))
        return worth
