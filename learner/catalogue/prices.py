"""Prices of items, by rule where one is missing or far from all others: who has none has the median
of the first of their categories where enough have one; none counts below the hundredth part of all
prices, or above.

Medians and bounds are exact and follow each announcement. It knows nothing about events.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel, room

__all__ = ["ENOUGH", "NO_PRICE", "PriceTable", "Prices", "price_of"]

NO_PRICE = -1.0
ENOUGH = 5
"""So many items of a category have a price before the others have its median."""
TAIL = 0.01  # of all prices, at either end
_BULK = 64  # prices at once from which all are sorted anew


class Prices(NamedTuple):
    """own: (N,) ln(1 + price), -1 where an item has none. typical: (C,) the median of each
    category up to the last that ever had one, -1 where too few have. bounds: (2,) the lowest and
    the highest that count.
    """

    own: NDArray[np.float32]
    typical: NDArray[np.float32]
    bounds: NDArray[np.float32]


@kernel
def price_of(prices: Prices, categories: NDArray[np.int32], row: int) -> Any:
    """ln(1 + price) as it counts; -1 where neither the item nor its categories have one.

    categories: (N, K) codes, -1 where fewer.
    """
    own = prices.own[row]
    if own >= 0.0:
        return min(max(own, prices.bounds[0]), prices.bounds[1])
    for code in categories[row]:
        if 0 <= code < len(prices.typical) and prices.typical[code] >= 0.0:
            return prices.typical[code]
    return np.float32(NO_PRICE)


class PriceTable:
    """Owns the arrays of `Prices`, and all prices in order."""

    def __init__(self) -> None:
        self._own = np.zeros(0, np.float32)
        self._typical = np.zeros(0, np.float32)
        self._sorted = array("f")
        self._of_category: dict[int, array[float]] = {}

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        before = len(self._own)
        self._own = grown(self._own, capacity)
        self._own[before:] = NO_PRICE

    def put(
        self,
        rows: Sequence[int],
        prices: Sequence[float | None],
        codes: Sequence[tuple[Sequence[int], Sequence[int]]],
    ) -> bool:
        """Sets the prices of distinct `rows`. codes: of each its categories before and now. Returns
        whether anything changed.
        """
        gone: list[tuple[float, Sequence[int]]] = []
        come: list[tuple[float, Sequence[int]]] = []
        for row, price, (was, now) in zip(rows, prices, codes, strict=True):
            old = float(self._own[row])
            new = NO_PRICE if price is None else float(np.float32(np.log1p(price)))
            if (old, was) != (new, now):
                gone.append((old, was))
                come.append((new, now))
                self._own[row] = new
        gone = [one for one in gone if one[0] >= 0.0]
        come = [one for one in come if one[0] >= 0.0]
        self._sorted = _moved(self._sorted, [one for one, _ in gone], [one for one, _ in come])
        for code in sorted({code for _, among in (*gone, *come) for code in among}):
            out = [one for one, among in gone if code in among]
            into = [one for one, among in come if code in among]
            self._of_category[code] = _moved(self._of_category.get(code, array("f")), out, into)
            self._set_typical(code)
        return bool(gone or come)

    @property
    def state(self) -> Prices:
        """The arrays as kernels take them; valid until the next `put` or `grow`."""
        return Prices(self._own, self._typical, self._bounds())

    def count(self, categories: NDArray[np.int32], announced: NDArray[np.bool_]) -> dict[str, int]:
        """Of the announced items: how many have a price of their own, how many of these are beyond
        the bounds, and how many have their category's.

        categories: (N, K), announced: (N,).
        """
        low, high = self._bounds().tolist()
        without = categories[announced & (self._own < 0.0)]
        known = np.append(self._typical, np.float32(NO_PRICE))  # the last one for codes beyond
        typical = known[np.where(without < 0, -1, np.minimum(without, len(known) - 1))] >= 0.0
        return {
            "own": len(self._sorted),
            "bounded": bisect_left(self._sorted, low)
            + len(self._sorted)
            - bisect_right(self._sorted, high),
            "typical": int(typical.any(axis=1).sum()),
        }

    def _set_typical(self, code: int) -> None:
        if code >= len(self._typical):
            before = len(self._typical)
            self._typical = grown(self._typical, room(code + 1, before))
            self._typical[before:] = NO_PRICE
        known = self._of_category[code]
        middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2 if known else NO_PRICE
        self._typical[code] = middle if len(known) >= ENOUGH else NO_PRICE

    def _bounds(self) -> NDArray[np.float32]:
        known, away = self._sorted, int(TAIL * len(self._sorted))
        if not known:
            return np.array([0.0, np.inf], np.float32)
        return np.array([known[away], known[-1 - away]], np.float32)


def _moved(known: array[float], out: Sequence[float], into: Sequence[float]) -> array[float]:
    """`known`, in order, less some of its numbers and with others."""
    for one in out:
        del known[bisect_left(known, one)]
    if len(into) >= _BULK:
        return array("f", sorted([*known, *into]))
    for one in into:
        insort(known, one)
    return known
