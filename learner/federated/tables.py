"""Sparse tables of counts in the places of a layout: read of a learner's, decayed, subtracted,
summed, written back.

It knows nothing about what an entry counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.federated.aggregate import clamped_sum

__all__ = ["Table", "empty_table", "read_table", "summed", "table_arrays"]

LEAST = 1e-3
"""Of an entry: what is smaller is what rounding or decay left."""
_WIDE = np.int64(1) << np.int64(32)


@dataclass(frozen=True, slots=True)
class Table:
    """keys: (k,) row · 2^32 + column, ascending and distinct. values: (k,) as of now."""

    keys: NDArray[np.int64]
    values: NDArray[np.float64]

    def decayed(self, factor: float) -> Table:
        """All entries times `factor`, without those that are next to nothing then."""
        values = self.values * factor
        kept = values >= LEAST
        return Table(self.keys[kept], values[kept])

    def minus(self, other: Table) -> Table:
        """Where this one is larger, by how much."""
        values = self.values - other.at(self.keys)
        kept = values >= LEAST
        return Table(self.keys[kept], values[kept])

    def joined(self, other: Table, some: NDArray[np.bool_]) -> Table:
        """With those entries of `other` that are true in `some`; nothing stands in both."""
        keys = np.concatenate([self.keys, other.keys[some]])
        order = np.argsort(keys, kind="stable")
        return Table(keys[order], np.concatenate([self.values, other.values[some]])[order])

    def at(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) keys → values, 0 where there is none."""
        if not len(self.keys):
            return np.zeros(len(keys))
        found = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[found] == keys, self.values[found], 0.0)

    def placed(self, places: NDArray[np.int64]) -> Table:
        """With rows and columns by other numbers; entries of those below 0 are left out."""
        rows, columns = places[self.rows], places[self.columns]
        kept = (rows >= 0) & (columns >= 0)
        return _ordered(rows[kept], columns[kept], self.values[kept])

    def capped(self, cap: int) -> Table:
        """The `cap` largest entries of each row, of equals those of the lower columns."""
        rows = self.rows
        order = np.lexsort((self.keys, -self.values, rows))
        ranked = rows[order]
        first = np.concatenate([[True], ranked[1:] != ranked[:-1]]) if len(ranked) else ranked
        starts = np.flatnonzero(first)
        within = np.arange(len(ranked)) - np.repeat(starts, np.diff([*starts, len(ranked)]))
        kept = np.sort(order[within < cap])
        return Table(self.keys[kept], self.values[kept])

    @property
    def rows(self) -> NDArray[np.int64]:
        """(k,) ascending."""
        return self.keys // _WIDE

    @property
    def columns(self) -> NDArray[np.int64]:
        """(k,) ascending within a row."""
        return self.keys % _WIDE


def empty_table() -> Table:
    """Without an entry."""
    return Table(np.zeros(0, np.int64), np.zeros(0))


def read_table(arrays: Mapping[str, NDArray[Any]]) -> Table:
    """Of `NeighbourTable.arrays`."""
    sizes = arrays["sizes"].astype(np.int64)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    values = arrays["values"].astype(np.float64) / float(arrays["scale"][0])
    return _ordered(rows, arrays["ids"].astype(np.int64), values)


def table_arrays(table: Table, size: int) -> dict[str, NDArray[Any]]:
    """For `NeighbourTable.restore` of `size` rows: the largest of a row first."""
    rows = table.rows
    order = np.lexsort((table.keys, -table.values, rows))
    return {
        "ids": table.columns[order].astype(np.int32),
        "values": table.values[order].astype(np.float32),
        "sizes": np.bincount(rows, minlength=size).astype(np.int32),
        "scale": np.ones(1),
        "evicted": np.zeros(1, np.int64),
    }


def summed(tables: Sequence[Table], liars: int | None = None, floor: float = 0.0) -> Table:
    """Entry by entry; with `liars`, as `clamped_sum`."""
    keys = np.unique(np.concatenate([one.keys for one in tables]))
    if liars is None:
        values = np.zeros(len(keys))
        for one in tables:
            values[np.searchsorted(keys, one.keys)] += one.values
        return Table(keys, values)
    return Table(keys, clamped_sum(np.stack([one.at(keys) for one in tables]), liars, floor))


def _ordered(
    rows: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64]
) -> Table:
    keys = rows * _WIDE + columns
    order = np.argsort(keys, kind="stable")
    return Table(keys[order], values[order])
