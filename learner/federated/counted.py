"""What is counted of a stream, as sums over clients: popularity by item, and tables of pairs and
transitions, all as of now.

What clients add between two rounds is additive, so their sum with what was there before, decayed,
is what one learner would have counted of all their events, but for the order of events within a
round, and for who came first and last to an item, which is told by rounds. It knows nothing about
weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts import popularity
from learner.counts.counts import FORGETTING, RECENT_HALF_LIFE, TABLES, Counts
from learner.counts.popularity import (
    COLUMNS,
    COUNT,
    EARNED,
    FIRST,
    LAST,
    LEADERS,
    NEWCOMERS,
    TEXT,
)
from learner.federated.aggregate import clamped_sum
from learner.federated.tables import Table, empty_table, read_table, summed, table_arrays

__all__ = [
    "ADDED",
    "FLOOR",
    "WIDTH",
    "Counted",
    "Passed",
    "added_up",
    "all_passed",
    "empty_counted",
    "read_counted",
]

ADDED = (*range(COUNT), COUNT, TEXT, EARNED)
"""Columns of popularity that are sums; behind them stand `liked` and `people`."""
LIKED, PEOPLE = len(ADDED), len(ADDED) + 1
WIDTH = len(ADDED) + 2
MOST_TIMES = 10
FLOOR = 3.0
"""Events of one client on one item, or on one pair, that count in a round whoever else has them."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Events that passed, and those of newcomers among them: by them counts decay."""

    events: int = 0
    newcomers: int = 0

    def plus(self, other: Passed) -> Passed:
        """Both."""
        return Passed(self.events + other.events, self.newcomers + other.newcomers)

    def decay(self) -> NDArray[np.float64]:
        """(WIDTH,) what is left of each sum."""
        growth = popularity.empty().growth
        of = [
            growth[one] ** -float(self.newcomers if NEWCOMERS <= one < COUNT else self.events)
            for one in ADDED
        ]
        return np.array([*of, 1.0, 1.0])

    def table_decay(self, name: str) -> float:
        """What is left of a table's entries."""
        return 0.5 ** (self.events / RECENT_HALF_LIFE) if name in FORGETTING else 1.0


@dataclass(frozen=True, slots=True)
class Counted:
    """sums: (WIDTH, N). tables: by name. last, first: (N,) the number of the event, 0 for none.
    clock: events so far.
    """

    sums: NDArray[np.float64]
    tables: Mapping[str, Table]
    last: NDArray[np.float64]
    first: NDArray[np.float64]
    clock: int = 0

    def decayed(self, passed: Passed) -> Counted:
        """As of so many events later."""
        return Counted(
            self.sums * passed.decay()[:, None],
            {name: one.decayed(passed.table_decay(name)) for name, one in self.tables.items()},
            self.last,
            self.first,
            self.clock,
        )

    def minus(self, other: Counted) -> Counted:
        """What came to the sums of `other`, of the same items."""
        tables = {name: one.minus(other.tables[name]) for name, one in self.tables.items()}
        sums = np.maximum(self.sums - other.sums, 0.0)
        return Counted(np.where(sums < 1e-9, 0.0, sums), tables, self.last, self.first, self.clock)

    def with_added(self, other: Counted) -> Counted:
        """The sums of both, of the same items."""
        tables = {name: summed([one, other.tables[name]]) for name, one in self.tables.items()}
        return Counted(self.sums + other.sums, tables, self.last, self.first, self.clock)

    def widened(self, size: int) -> Counted:
        """With room for `size` items."""
        more = size - self.sums.shape[1]
        return Counted(
            np.pad(self.sums, ((0, 0), (0, more))),
            self.tables,
            np.pad(self.last, (0, more)),
            np.pad(self.first, (0, more)),
            self.clock,
        )

    def placed(self, places: NDArray[np.int64], size: int) -> Counted:
        """(n,) the item of each column stands in so many places of `size`; below 0 in none."""
        kept = np.flatnonzero(places >= 0)
        found = empty_counted(size)
        found.sums[:, places[kept]] = self.sums[:, kept]
        found.last[places[kept]], found.first[places[kept]] = self.last[kept], self.first[kept]
        tables = {name: one.placed(places) for name, one in self.tables.items()}
        return Counted(found.sums, tables, found.last, found.first, self.clock)

    @property
    def events(self) -> NDArray[np.float32]:
        """(N,) on each item."""
        return np.asarray(np.round(self.sums[ADDED.index(COUNT)]), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As `Counts.arrays` of a learner whose rows are these items."""
        size = self.sums.shape[1]
        values = np.zeros((COLUMNS, size))
        values[list(ADDED)] = self.sums[: len(ADDED)]
        values[LAST], values[FIRST] = self.last, self.first
        leaders, held = _leaders(values)
        found: dict[str, NDArray[Any]] = {
            "popularity.values": values,
            "popularity.scale": np.ones(COLUMNS),
            "popularity.leaders": leaders,
            "popularity.held": held,
            "liked": self.sums[LIKED].copy(),
            "people": self.sums[PEOPLE].copy(),
            "clock": np.array([self.clock], np.int64),
        }
        for name, table in self.tables.items():
            found |= {f"{name}.{of}": one for of, one in table_arrays(table, size).items()}
        return found

    def plus(self, added: Counted, passed: Passed, cap: int) -> Counted:
        """After `passed` events of clients together, who added so much: each item that they added
        to was last met now, and first now where nobody had met it. cap: of a table's row.
        """
        now = self.decayed(passed)
        clock = self.clock + passed.events
        met = added.sums[ADDED.index(COUNT)] > 0.5
        return Counted(
            now.sums + added.sums,
            {
                name: summed([one, added.tables[name]]).capped(cap)
                for name, one in now.tables.items()
            },
            np.where(met, float(clock), self.last),
            np.where(met & (self.first == 0.0), float(clock), self.first),
            clock,
        )


def empty_counted(size: int) -> Counted:
    """Nothing, of so many items."""
    tables = {name: empty_table() for name in TABLES}
    return Counted(np.zeros((WIDTH, size)), tables, np.zeros(size), np.zeros(size))


def read_counted(counts: Counts, size: int) -> Counted:
    """Of the first `size` items of a learner."""
    arrays = counts.arrays(size)
    values, scale = arrays["popularity.values"], arrays["popularity.scale"]
    sums = values[list(ADDED)] / scale[list(ADDED), None]
    tables = {
        name: read_table(
            {
                of.removeprefix(name + "."): one
                for of, one in arrays.items()
                if of.startswith(name + ".")
            }
        )
        for name in TABLES
    }
    return Counted(
        np.concatenate([sums, arrays["liked"][None], arrays["people"][None]]),
        tables,
        values[LAST].copy(),
        values[FIRST].copy(),
        int(arrays["clock"][0]),
    )


def added_up(added: Sequence[Counted], liars: int | None) -> Counted:
    """What several clients added; with `liars`, none of them adds more to an item or a pair than
    `clamped_sum` lets it.
    """
    sums = np.stack([one.sums for one in added])
    size = sums.shape[2]
    return Counted(
        sums.sum(axis=0) if liars is None else clamped_sum(sums, liars, FLOOR),
        {name: summed([one.tables[name] for one in added], liars, FLOOR) for name in TABLES},
        np.zeros(size),
        np.zeros(size),
    )


def all_passed(passed: Sequence[Passed], liars: int | None) -> Passed:
    """Of several clients; with `liars`, none of them lets more pass than `MOST_TIMES` what the
    (`liars` + 1)-th largest does: by what passed the counts of all others decay.
    """
    events = sorted((one.events for one in passed), reverse=True)
    total = Passed()
    for one in passed:
        kept = one.events
        if liars is not None and liars < len(events):
            kept = min(kept, MOST_TIMES * events[liars])
        total = total.plus(Passed(kept, min(one.newcomers, kept)))
    return total


def _leaders(values: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(C, N) → (C, LEADERS) rows of the largest values, best first, of equals the earlier row, and
    (C,) how many of them there are.
    """
    leaders, held = np.zeros((len(values), LEADERS), np.int32), np.zeros(len(values), np.int32)
    for column, one in enumerate(values):
        if column == EARNED:  # nobody asks for its leaders, and nobody keeps them
            continue
        best = np.argsort(-one, kind="stable")[:LEADERS]
        best = best[one[best] > 0.0]
        leaders[column, : len(best)], held[column] = best, len(best)
    return leaders, held
