"""Everything that is counted of the stream: popularity, co-visitation, transitions, and what text
neighbours earn.

One event changes one item's popularity and at most a few hundred table entries, however long the
log or the catalogue is. It knows nothing about weights or lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import Features
from learner.catalogue.kernel import grown, kernel
from learner.catalogue.nearest.text import NEAREST, TextNeighbours
from learner.catalogue.relations import Relations
from learner.counts import neighbours, popularity
from learner.counts.block import MET_LIKED, NEW
from learner.counts.neighbours import Neighbours, NeighbourTable
from learner.counts.popularity import (
    COUNT,
    EARNED,
    FIRST,
    HALF_LIVES,
    LAST,
    LIKES,
    NEWCOMERS,
    TEXT,
    Popularity,
)

__all__ = [
    "COUNTED",
    "FAR_DECAY",
    "FORGETTING",
    "NEAR_DECAY",
    "NEAR_WINDOW",
    "RECENT_HALF_LIFE",
    "RECENT_WINDOW",
    "TABLES",
    "CountState",
    "Counts",
    "count_event",
    "inherit",
]

TABLES = ("pairs", "pairs_any", "last", "near", "near_any", "recent", "far")
COUNTED = 10
NEAR_WINDOW, NEAR_DECAY = 3, 0.5
RECENT_WINDOW = 6
FAR_DECAY = 0.85
RECENT_HALF_LIFE = 500.0
FORGETTING = ("last", "recent")


class CountState(NamedTuple):
    """Tables of liked pairs and of pairs of any kind (symmetric), and of transitions (row: the
    earlier item).

    liked, people: (N,) users who liked an item, who met it. clock: (1,) events counted.
    text: the neighbours whose popularity an item inherits. features, relations: what the catalogue
    says; nothing here changes it.
    """

    popularity: Popularity
    pairs: Neighbours
    pairs_any: Neighbours
    last: Neighbours
    near: Neighbours
    near_any: Neighbours
    recent: Neighbours
    far: Neighbours
    liked: NDArray[np.float64]
    people: NDArray[np.float64]
    clock: NDArray[np.int64]
    text: TextNeighbours
    features: Features
    relations: Relations


@kernel
def _raise_popularity(
    state: CountState, row: int, liked: bool, newcomer: bool, met: int, weight: float
) -> None:
    for column in range(len(HALF_LIVES)):
        counts = liked and met != MET_LIKED if column == LIKES else met == NEW
        if counts and (column < NEWCOMERS or newcomer):
            popularity.raise_by(state.popularity, column, row, weight)
    if met == NEW:
        state.people[row] += 1.0
        state.popularity.values[EARNED, row] += weight * state.popularity.scale[EARNED]
        graph = state.text
        for place in range(graph.sizes[row]):
            other, similarity = graph.ids[row, place], graph.similarities[row, place]
            if similarity >= graph.similarities[other, min(NEAREST, graph.sizes[other]) - 1]:
                popularity.raise_by(state.popularity, TEXT, other, weight * similarity)
    if liked and met != MET_LIKED:
        state.liked[row] += 1.0


@kernel
def _count_popularity(
    state: CountState, row: int, liked: bool, newcomer: bool, met: int, weight: float, rows: int
) -> None:
    state.clock[0] += 1
    now = float(state.clock[0])
    popularity.advance(state.popularity, rows, newcomer)
    _raise_popularity(state, row, liked, newcomer, met, weight)
    popularity.raise_by(state.popularity, COUNT, row, 1.0)
    popularity.raise_to(state.popularity, LAST, row, now)
    if state.popularity.values[FIRST, row] == 0.0:
        popularity.raise_to(state.popularity, FIRST, row, now)


@kernel
def _count_liked(
    state: CountState,
    row: int,
    weight: float,
    history: NDArray[np.int32],
    history_liked: NDArray[np.bool_],
) -> None:
    place = 0
    for position, other in enumerate(history):
        if history_liked[position] and other != row:
            neighbours.add(state.pairs, row, other, weight)
            neighbours.add(state.pairs, other, row, weight)
            if place < NEAR_WINDOW:
                neighbours.add(state.near, other, row, weight * NEAR_DECAY**place)
            place += 1


@kernel
def _count_any(state: CountState, row: int, weight: float, history: NDArray[np.int32]) -> None:
    for place, other in enumerate(history):
        if other == row:
            continue
        neighbours.add(state.pairs_any, row, other, weight)
        neighbours.add(state.pairs_any, other, row, weight)
        neighbours.add(state.far, other, row, weight * FAR_DECAY**place)
        if place < RECENT_WINDOW:
            neighbours.add(state.recent, other, row, weight * NEAR_DECAY**place)
        if place < NEAR_WINDOW:
            neighbours.add(state.near_any, other, row, weight * NEAR_DECAY**place)
        if place == 0:
            neighbours.add(state.last, other, row, weight)


@kernel
def count_event(
    state: CountState,
    row: int,
    liked: bool,
    newcomer: bool,
    met: int,
    weight: float,
    history: NDArray[np.int32],
    history_liked: NDArray[np.bool_],
    rows: int,
) -> None:
    """Counts one event. history: (h,) rows of the user's earlier items, newest first. rows: how
    many rows exist. weight: at most 1.

    An item and a pair are counted once a user when they are there and once more when they are
    liked, however often the user comes back: only the number of events (which says what is cold)
    and the time of the last one go on.
    """
    window = min(COUNTED, len(history))
    neighbours.advance(state.last, rows)
    neighbours.advance(state.recent, rows)
    if met == NEW:
        _count_any(state, row, weight, history[:window])
    if liked and met != MET_LIKED:
        _count_liked(state, row, weight, history[:window], history_liked[:window])
    _count_popularity(state, row, liked, newcomer, met, weight, rows)


@kernel
def inherit(state: CountState, moved: NDArray[np.int64], rows: int, large: bool) -> None:
    """Sums what the nearest text neighbours earned, for the items that have other ones now. Of a
    large catalogue only these and the leaders are put in order anew.
    """
    values, graph = state.popularity.values, state.text
    for row in moved:
        total = 0.0
        for place in range(min(NEAREST, graph.sizes[row])):
            total += graph.similarities[row, place] * values[EARNED, graph.ids[row, place]]
        if large and total >= values[TEXT, row]:
            if total > 0.0:
                popularity.raise_to(state.popularity, TEXT, row, total)
        else:
            values[TEXT, row] = total
    if large:
        popularity.settle_leaders(state.popularity, TEXT)
    else:
        popularity.settle(state.popularity, TEXT, rows)


class Counts:
    """Owns the arrays. `cap`: the most neighbours an item keeps in each table."""

    def __init__(self, cap: int) -> None:
        self._popularity = popularity.empty()
        self._tables = {
            name: NeighbourTable(cap, RECENT_HALF_LIFE if name in FORGETTING else np.inf)
            for name in TABLES
        }
        self._liked = np.zeros(0)
        self._people = np.zeros(0)
        self._clock = np.zeros(1, np.int64)

    def state(self, text: TextNeighbours, features: Features, relations: Relations) -> CountState:
        """The arrays as kernels take them; valid until `grow`."""
        tables = {name: table.state for name, table in self._tables.items()}
        return CountState(
            popularity=self._popularity,
            liked=self._liked,
            people=self._people,
            clock=self._clock,
            text=text,
            features=features,
            relations=relations,
            **tables,
        )

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` items."""
        self._popularity = popularity.widened(self._popularity, capacity)
        self._liked = grown(self._liked, capacity)
        self._people = grown(self._people, capacity)
        for table in self._tables.values():
            table.grow(capacity)

    def forget(self, gone: NDArray[np.bool_], rows: int) -> None:
        """Nothing was counted for the items that are true in `gone` (capacity,)."""
        popularity.forget(self._popularity, gone, rows)
        self._liked[gone] = 0.0
        self._people[gone] = 0.0
        for table in self._tables.values():
            neighbours.forget(table.state, gone, rows)

    @property
    def evicted(self) -> dict[str, int]:
        """By table, how many entries made room for others."""
        return {name: int(table.state.evicted[0]) for name, table in self._tables.items()}

    def arrays(self, rows: int) -> dict[str, NDArray[Any]]:
        """Everything counted of the first `rows` items."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {
            "popularity": popularity.arrays(self._popularity, rows)
        }
        parts |= {name: table.arrays(rows) for name, table in self._tables.items()}
        flat = {
            f"{part}.{name}": array
            for part, arrays in parts.items()
            for name, array in arrays.items()
        }
        return flat | {
            "liked": self._liked[:rows].copy(),
            "people": self._people[:rows].copy(),
            "clock": self._clock.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave; there must be room for its items, nothing counted yet."""

        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {
                name.removeprefix(prefix + "."): array
                for name, array in arrays.items()
                if name.startswith(prefix + ".")
            }

        popularity.restore(self._popularity, part("popularity"))
        for name, table in self._tables.items():
            table.restore(part(name))
        self._liked[: len(arrays["liked"])] = arrays["liked"]
        self._people[: len(arrays["people"])] = arrays["people"]
        self._clock[:] = arrays["clock"]
