"""Counts as they were told of many users under noise, in the place of counted ones: what they stand
for is filled in, all else is as if nothing had been counted. It knows nothing about noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts import popularity
from learner.counts.counts import CountState, inherit
from learner.counts.neighbours import Neighbours
from learner.counts.popularity import COLUMNS, COUNT, EARNED, HALF_LIVES, LIKES, NEWCOMERS

__all__ = ["LATELY", "OF_LATELY", "OF_LIKES", "OF_NEWCOMERS", "RELEASED", "install"]

OF_LIKES, OF_NEWCOMERS, OF_LATELY, RELEASED = 0, 1, 2, 3
LATELY = 1_000.0
"""Half-life of what is told of likes of late, in examples."""
_FILLED = {
    OF_LIKES: (LIKES - 1, LIKES, COUNT, EARNED),
    OF_NEWCOMERS: (NEWCOMERS, NEWCOMERS + 1),
    OF_LATELY: (HALF_LIVES.index(LATELY),),
}
"""By what was told the columns that it fills; `LIKES - 1` is the longest half-life."""
assert len(HALF_LIVES) == COUNT


def install(state: CountState, told: Mapping[str, NDArray[Any]], count: int, large: bool) -> None:
    """told: `values` (n, RELEASED) of n `rows`, people (without likes of late where it was told
    before these were), and `moves` (k, k) from one of k `movers` to another; of all others there
    are none. count: how many rows exist. large: so many that what
    text neighbours earned is settled for the leaders alone.
    """
    pop = state.popularity
    pop.values[:] = 0.0
    pop.scale[:] = 1.0
    for which, values in enumerate(told["values"].T):
        for column in _FILLED[which]:
            pop.values[column, told["rows"]] = values
    for column in range(COLUMNS):
        popularity.settle(pop, column, count)
    for table in (state.last, state.near_any):
        _fill(table, told["movers"], told["moves"])
    inherit(state, np.arange(count), count, large)


def _fill(table: Neighbours, rows: NDArray[np.int32], moves: NDArray[np.float32]) -> None:
    """The largest of each row, as many as there is room for."""
    table.sizes[:] = 0
    table.step[0] = 1.0
    for place, row in enumerate(rows):
        order = np.argsort(-moves[place], kind="stable")[: table.ids.shape[1]]
        order = order[moves[place, order] > 0.0]
        table.ids[row, : len(order)] = rows[order]
        table.values[row, : len(order)] = moves[place, order]
        table.sizes[row] = len(order)
