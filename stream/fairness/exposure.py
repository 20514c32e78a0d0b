"""How much each item was shown lately: exposure in published lists, discounted by place, that fades
with the lists after it.

An item on place r has 1 / log2(1 + r) (Singh & Joachims 2018, "Fairness of Exposure in Rankings").
It knows rows, not what stands there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, room

__all__ = ["HALF_LIFE", "WINDOW", "Exposure", "discounts"]

HALF_LIFE = 1_000.0
"""Lists, after which exposure counts half."""
WINDOW = 1_000
"""Lists, of which coverage is."""
_LARGEST_SCALE = 2.0**400
_PLACES: NDArray[np.float64] = 1.0 / np.log2(2.0 + np.arange(1_000, dtype=np.float64))


def discounts(places: int) -> NDArray[np.float64]:
    """(places,) what an item has on each place of a list, the first is 1."""
    if places <= len(_PLACES):
        return _PLACES[:places]
    return np.asarray(1.0 / np.log2(2.0 + np.arange(places)), np.float64)


class Exposure:
    """By row. Costs two numbers a row, whatever is shown. lists: so many were added."""

    def __init__(self) -> None:
        self.lists = 0
        self._values = np.zeros(0)
        self._last = np.zeros(0, np.int64)  # the number of the last list with the item
        self._scale = 1.0  # what is added grows, so that what stands there need not shrink
        self._growth = 2.0 ** (1.0 / HALF_LIFE)

    def add(self, rows: NDArray[np.int64]) -> None:
        """One published list, best first."""
        self.lists += 1
        self._make_room(int(rows.max(initial=-1)) + 1)
        self._values[rows] += discounts(len(rows)) * self._scale
        self._last[rows] = self.lists
        self._scale *= self._growth
        if self._scale > _LARGEST_SCALE:
            self._values /= self._scale
            self._scale = 1.0

    def values(self, rows: int) -> NDArray[np.float64]:
        """(rows,) as of the newest list, which counts whole."""
        self._make_room(rows)
        return np.asarray(self._values[:rows] * (self._growth / self._scale), np.float64)

    def lately(self, rows: int) -> NDArray[np.bool_]:
        """(rows,) whether an item stood in one of the last `WINDOW` lists."""
        self._make_room(rows)
        last = self._last[:rows]
        return (last > 0) & (last > self.lists - WINDOW)

    def move(self, rows: Sequence[int | None]) -> None:
        """Items have other rows now: of each row the new one, None where it has none."""
        kept = np.array([old for old, new in enumerate(rows) if new is not None], np.int64)
        new = np.array([new for new in rows if new is not None], np.int64)
        self._make_room(len(rows))
        values, last = self._values[kept], self._last[kept]
        self._values[:] = self._last[:] = 0
        self._make_room(int(new.max(initial=-1)) + 1)
        self._values[new], self._last[new] = values, last

    def _make_room(self, rows: int) -> None:
        capacity = room(rows, len(self._values))
        self._values, self._last = grown(self._values, capacity), grown(self._last, capacity)
