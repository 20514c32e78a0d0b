"""Counts as they were told of many users under noise, in the place of counted ones: what they stand
for is filled in, all else is as if nothing had been counted. It knows nothing about noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.counts import popularity
from learner.counts.counts import CountState, inherit
from learner.counts.popularity import COLUMNS, COUNT, EARNED, HALF_LIVES, LIKES, NEWCOMERS, TEXT

__all__ = ["OF_LIKES", "OF_NEWCOMERS", "RELEASED", "install"]

OF_LIKES, OF_NEWCOMERS, RELEASED = 0, 1, 2
_FILLED = {
    OF_LIKES: (LIKES - 1, LIKES, COUNT, EARNED),
    OF_NEWCOMERS: (NEWCOMERS, NEWCOMERS + 1),
}
"""By what was told the columns that it fills; `LIKES - 1` is the longest half-life."""
assert len(HALF_LIVES) == COUNT


def install(
    state: CountState, rows: NDArray[np.int32], values: NDArray[np.float32], count: int, large: bool
) -> None:
    """values: (n, RELEASED) of n `rows`, people; all other rows have none. count: how many rows
    exist. large: so many that what text neighbours earned is settled for the leaders alone.
    """
    pop = state.popularity
    pop.values[:] = 0.0
    pop.scale[:] = 1.0
    for told, columns in _FILLED.items():
        for column in columns:
            pop.values[column, rows] = values[:, told]
    for column in range(COLUMNS):
        popularity.settle(pop, column, count)
    pop.values[TEXT] = 0.0
    inherit(state, np.arange(count), count, large)
