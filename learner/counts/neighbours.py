"""A sparse item × item table with at most K neighbours a row, decayed without touching its entries.

Increments grow by a constant factor an event instead of entries shrinking; once in a long while
everything is scaled back. It knows nothing about what a neighbour means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel, thinly_grown

__all__ = ["NeighbourTable", "Neighbours", "add", "advance", "forget"]

_SCALE, _GROWTH = 0, 1
_LARGEST_SCALE = 2.0**40


class Neighbours(NamedTuple):
    """ids, values: (N, K), the first `sizes[row]` hold, largest first, of equals the last to rise
    first.

    step: (2,) what an increment of 1 is worth now, and its growth an event.
    evicted: (1,) how many entries made room for others since the start.
    """

    ids: NDArray[np.int32]
    values: NDArray[np.float32]
    sizes: NDArray[np.int32]
    step: NDArray[np.float64]
    evicted: NDArray[np.int64]


@kernel
def add(table: Neighbours, row: int, column: int, weight: float) -> None:
    """Adds `weight` (as of now) to the entry.

    In a full row the smallest entry makes room, of equals the one that rose longest ago.
    """
    ids, values = table.ids[row], table.values[row]
    size = table.sizes[row]
    value = np.float32(weight * table.step[_SCALE])
    place = 0
    while place < size and ids[place] != column:
        place += 1
    if place < size:
        value += values[place]
    elif size < len(ids):
        table.sizes[row] = size + 1
    else:
        place = size - 1
        table.evicted[0] += 1
    while place > 0 and values[place - 1] <= value:
        ids[place], values[place] = ids[place - 1], values[place - 1]
        place -= 1
    ids[place], values[place] = column, value


@kernel
def advance(table: Neighbours, rows: int) -> None:
    """One event passes: every entry of the first `rows` rows decays."""
    table.step[_SCALE] *= table.step[_GROWTH]
    if table.step[_SCALE] > _LARGEST_SCALE:
        down = np.float32(1.0 / table.step[_SCALE])
        for row in range(rows):
            for place in range(table.sizes[row]):
                table.values[row, place] *= down
        table.step[_SCALE] = 1.0


@kernel
def forget(table: Neighbours, gone: NDArray[np.bool_], rows: int) -> None:
    """Empties the rows that are true in `gone` (N,), and takes these out of all others."""
    for row in range(rows):
        ids, values = table.ids[row], table.values[row]
        kept = 0
        if not gone[row]:
            for place in range(table.sizes[row]):
                if not gone[ids[place]]:
                    ids[kept], values[kept] = ids[place], values[place]
                    kept += 1
        table.sizes[row] = kept


class NeighbourTable:
    """Owns the arrays of one table. `half_life`: in events, infinity for none. `cap`: K."""

    def __init__(self, cap: int, half_life: float) -> None:
        self._state = Neighbours(
            np.zeros((0, cap), np.int32),
            np.zeros((0, cap), np.float32),
            np.zeros(0, np.int32),
            np.array([1.0, 2.0 ** (1.0 / half_life)]),
            np.zeros(1, np.int64),
        )

    @property
    def state(self) -> Neighbours:
        """The arrays as kernels take them; valid until the table grows."""
        return self._state

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        ids, values, sizes, step, evicted = self._state
        self._state = Neighbours(
            thinly_grown(ids, capacity),
            thinly_grown(values, capacity),
            grown(sizes, capacity),
            step,
            evicted,
        )

    def arrays(self, rows: int) -> dict[str, NDArray[Any]]:
        """The held entries of the first `rows` rows, flat, and the step."""
        ids, values, sizes, step, evicted = self._state
        sizes = sizes[:rows].copy()
        held = np.flatnonzero(sizes)  # rows that nobody wrote to are not read either
        places = np.arange(ids.shape[1]) < sizes[held][:, None]  # (held rows, K)
        return {
            "ids": ids[held][places],
            "values": values[held][places],
            "sizes": sizes,
            "scale": step[:1].copy(),
            "evicted": evicted.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave; the table must have room for its rows. A smaller K keeps
        the largest entries of a row.
        """
        ids, values, sizes, step, evicted = self._state
        stored = arrays["sizes"]
        starts = np.concatenate([[0], np.cumsum(stored)])
        for row in np.flatnonzero(stored).tolist():
            kept = min(int(stored[row]), ids.shape[1])
            ids[row, :kept] = arrays["ids"][starts[row] : starts[row] + kept]
            values[row, :kept] = arrays["values"][starts[row] : starts[row] + kept]
            sizes[row] = kept
        step[_SCALE] = arrays["scale"][0]
        evicted[:] = arrays["evicted"]
