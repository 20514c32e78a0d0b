"""What the catalogue says of items beside their text: categories, and the order in which items were
announced.

An item is like a user's taste where their categories are, rare categories counting more; people who
walk through a listing come by items announced near each other. It knows nothing about events.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel, room
from upwell.values import CatalogueItem

__all__ = ["CATEGORIES", "FeatureTable", "Features", "add_taste", "distance", "likeness"]

CATEGORIES = 8  # of an item, the first so many
TASTE_DECAY = 0.95
TASTE_OF_DISLIKED = -0.3
_BULK = 64  # announcements at once from which the order is sorted anew

_Key = tuple[int, int, str, int]


class Features(NamedTuple):
    """categories: (N, 8) codes, -1 where fewer. worth: (C,) log of how rare a category is. norms:
    (N,) length of an item's worths.

    position: (N,) place in the order of announcement, -1 where never announced. order: (M,) rows in
    that order.
    """

    categories: NDArray[np.int32]
    worth: NDArray[np.float32]
    norms: NDArray[np.float32]
    position: NDArray[np.int32]
    order: NDArray[np.int32]


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
        row = history[place]
        if features.norms[row] > 0.0:
            weight = fade * (1.0 if liked[place] else TASTE_OF_DISLIKED) / features.norms[row]
            for code in features.categories[row]:
                if code >= 0:
                    taste[code] += np.float32(weight * features.worth[code])
        fade *= TASTE_DECAY


@kernel
def likeness(features: Features, taste: NDArray[np.float32], row: int) -> float:
    """How much of the taste the item's categories meet; 0 for an item without."""
    if features.norms[row] == 0.0:
        return 0.0
    total = 0.0
    for code in features.categories[row]:
        if code >= 0:
            total += taste[code] * features.worth[code]
    return float(total / features.norms[row])


@kernel
def distance(features: Features, start: int, row: int) -> int:
    """How many announcements `row` came after `start`, negative where before, 0 where either was
    never announced.
    """
    if features.position[start] < 0 or features.position[row] < 0:
        return 0
    return int(features.position[row] - features.position[start])


class FeatureTable:
    """Owns the arrays.

    The order is by the announcement's `ts`, then the shorter id, then the id: the same in every
    process.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._categories = np.zeros((0, CATEGORIES), np.int32)
        self._position = np.zeros(0, np.int32)
        self._keys: list[_Key] = []
        self._key_of: dict[int, _Key] = {}
        self._state: Features | None = None

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        before = len(self._position)
        if capacity > before:
            self._categories = grown(self._categories, capacity)
            self._categories[before:] = -1
            self._position = grown(self._position, capacity)
            self._position[before:] = -1
            self._state = None

    def put(self, rows: Sequence[int], items: Sequence[CatalogueItem]) -> None:
        """Sets the features of distinct `rows`."""
        for row, item in zip(rows, items, strict=True):
            codes = [
                self._codes.setdefault(one, len(self._codes))
                for one in dict.fromkeys(item.categories)
            ][:CATEGORIES]
            self._categories[row] = -1
            self._categories[row, : len(codes)] = codes
        self._place(
            [
                (row, (item.ts, len(item.item_id), item.item_id, row))
                for row, item in zip(rows, items, strict=True)
            ]
        )
        self._state = None

    @property
    def state(self) -> Features:
        """The arrays as kernels take them; valid until the next `put` or `grow`."""
        if self._state is None:
            order = np.fromiter((key[-1] for key in self._keys), np.int32, len(self._keys))
            self._position[order] = np.arange(len(order), dtype=np.int32)
            worth, norms = self._worths(len(order))
            self._state = Features(self._categories, worth, norms, self._position, order)
        return self._state

    def _place(self, keyed: Sequence[tuple[int, _Key]]) -> None:
        changed = [(row, key) for row, key in keyed if self._key_of.get(row) != key]
        if len(changed) >= _BULK:
            self._key_of.update(changed)
            self._keys = sorted(self._key_of.values())
            return
        for row, key in changed:
            before = self._key_of.get(row)
            if before is not None:
                del self._keys[bisect_left(self._keys, before)]
            insort(self._keys, key)
            self._key_of[row] = key

    def _worths(self, items: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        used = self._categories >= 0
        counts = np.bincount(self._categories[used], minlength=max(1, len(self._codes)))
        worth = np.zeros(room(len(counts), 0), np.float32)
        worth[: len(counts)] = np.log(np.maximum(items, 1) / np.maximum(counts, 1.0))
        squares = np.where(used, worth[self._categories] ** 2, np.float32(0.0))  # (N, 8)
        return worth, np.sqrt(squares.sum(axis=1)).astype(np.float32)
