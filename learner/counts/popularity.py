"""What items earn by themselves: decayed counts at several half-lives, first and last event, and
the leaders of each.

Each column only ever rises (increments grow instead of values shrinking), so its leaders are kept
in order by moving one item up an event; no list is ever sorted. It knows nothing about users.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel

__all__ = [
    "COLUMNS",
    "COUNT",
    "EARNED",
    "FIRST",
    "HALF_LIVES",
    "LAST",
    "LEADERS",
    "LIKES",
    "NEWCOMERS",
    "TEXT",
    "Popularity",
    "advance",
    "arrays",
    "empty",
    "forget",
    "raise_by",
    "raise_to",
    "restore",
    "settle",
    "settle_leaders",
    "widened",
]

HALF_LIVES = (50.0, 200.0, 1_000.0, 5_000.0, 50_000.0, 20_000.0, 20.0, 200.0)
"""Of all events (5), of likes only, and of what newcomers do, counted in events of newcomers (2).
"""
LIKES, NEWCOMERS, COUNT, LAST, FIRST, TEXT, EARNED, COLUMNS = 5, 6, 8, 9, 10, 11, 12, 13
TEXT_HALF_LIFE = 2_000.0
LEADERS = 512
_LARGEST_SCALE = 2.0**400


class Popularity(NamedTuple):
    """values: (C, N) as of `scale` (C,), which grows by `growth` (C,) an event.

    leaders: (C, M) rows, best first, the first `held` (C,) hold. places: (C, N) 1 + an item's place
    among them, 0 where it has none.
    """

    values: NDArray[np.float64]
    scale: NDArray[np.float64]
    growth: NDArray[np.float64]
    leaders: NDArray[np.int32]
    held: NDArray[np.int32]
    places: NDArray[np.int32]


def empty() -> Popularity:
    """No item yet."""
    growth = np.ones(COLUMNS)
    growth[: len(HALF_LIVES)] = 2.0 ** (1.0 / np.array(HALF_LIVES))
    growth[TEXT] = growth[EARNED] = 2.0 ** (1.0 / TEXT_HALF_LIFE)
    return Popularity(
        np.zeros((COLUMNS, 0)),
        np.ones(COLUMNS),
        growth,
        np.zeros((COLUMNS, LEADERS), np.int32),
        np.zeros(COLUMNS, np.int32),
        np.zeros((COLUMNS, 0), np.int32),
    )


def widened(state: Popularity, capacity: int) -> Popularity:
    """With room for `capacity` items."""
    return state._replace(
        values=grown(state.values, capacity, 1), places=grown(state.places, capacity, 1)
    )


@kernel
def raise_to(state: Popularity, column: int, row: int, value: float) -> None:
    """Sets a value that is not below the one it replaces, and moves the item up among the leaders
    (never past its equals).
    """
    values, leaders, places = state.values[column], state.leaders[column], state.places[column]
    values[row] = value
    place = places[row] - 1
    if place < 0:
        held = state.held[column]
        if held < len(leaders):
            place = held
            state.held[column] = held + 1
        elif value > values[leaders[held - 1]]:
            place = held - 1
            places[leaders[place]] = 0
        else:
            return
    while place > 0 and values[leaders[place - 1]] < value:
        leaders[place] = leaders[place - 1]
        places[leaders[place]] = place + 1
        place -= 1
    leaders[place] = row
    places[row] = place + 1


@kernel
def raise_by(state: Popularity, column: int, row: int, weight: float) -> None:
    """Adds `weight` as of now."""
    raise_to(state, column, row, state.values[column, row] + weight * state.scale[column])


@kernel
def advance(state: Popularity, rows: int, newcomer: bool) -> None:
    """One event passes; what newcomers do fades only where it is one of theirs."""
    for column in range(len(state.scale)):
        if NEWCOMERS <= column < COUNT and not newcomer:
            continue
        state.scale[column] *= state.growth[column]
        if state.scale[column] > _LARGEST_SCALE:
            down = 1.0 / state.scale[column]
            for row in range(rows):
                state.values[column, row] *= down
            state.scale[column] = 1.0


@kernel
def settle(state: Popularity, column: int, rows: int) -> None:
    """Finds the leaders anew after values of the column were written by hand; earlier rows stand
    before their equals.
    """
    state.held[column] = 0
    state.places[column, :rows] = 0
    for row in range(rows):
        if state.values[column, row] > 0.0:
            raise_to(state, column, row, state.values[column, row])


@kernel
def settle_leaders(state: Popularity, column: int) -> None:
    """Puts the leaders in order after values of the column fell by hand; who would now be among
    them comes there with the next rise.
    """
    values, leaders, places = state.values[column], state.leaders[column], state.places[column]
    kept = 0
    for place in range(state.held[column]):
        row = leaders[place]
        if values[row] <= 0.0:
            places[row] = 0
            continue
        at = kept
        while at > 0 and values[leaders[at - 1]] < values[row]:
            leaders[at] = leaders[at - 1]
            places[leaders[at]] = at + 1
            at -= 1
        leaders[at] = row
        places[row] = at + 1
        kept += 1
    state.held[column] = kept


def forget(state: Popularity, gone: NDArray[np.bool_], rows: int) -> None:
    """Nothing was counted for the items that are true in `gone` (N,): others take their places
    among the leaders, of equals the one that came first.
    """
    state.values[:, gone] = 0.0
    for column in range(COLUMNS):
        leaders = state.leaders[column, : state.held[column]].copy()
        kept = leaders[~gone[leaders]]
        if len(kept) == len(leaders):
            continue
        state.places[column, leaders] = 0
        state.places[column, kept] = 1
        if len(leaders) == LEADERS:
            kept = np.concatenate([kept, _next_best(state, column, rows, LEADERS - len(kept))])
        state.leaders[column, : len(kept)] = kept
        state.held[column] = len(kept)
        state.places[column, kept] = 1 + np.arange(len(kept))


def _next_best(state: Popularity, column: int, rows: int, count: int) -> NDArray[np.int64]:
    """The best `count` items above zero without a place."""
    values = np.where(state.places[column, :rows] == 0, state.values[column, :rows], 0.0)
    least = np.partition(values, -count)[-count] if count < rows else 0.0
    found = np.flatnonzero((values >= least) & (values > 0.0))
    return found[np.lexsort((state.values[FIRST, found], -values[found]))][:count]


def arrays(state: Popularity, rows: int) -> dict[str, NDArray[Any]]:
    """What was counted for the first `rows` items."""
    return {
        "values": state.values[:, :rows].copy(),
        "scale": state.scale.copy(),
        "leaders": state.leaders.copy(),
        "held": state.held.copy(),
    }


def restore(state: Popularity, stored: Mapping[str, NDArray[Any]]) -> None:
    """Takes over what `arrays` gave; there must be room for its items."""
    state.values[:, : stored["values"].shape[1]] = stored["values"]
    state.scale[:] = stored["scale"]
    state.leaders[:] = stored["leaders"]
    state.held[:] = stored["held"]
    for column in range(COLUMNS):
        held = int(state.held[column])
        state.places[column, state.leaders[column, :held]] = 1 + np.arange(held)
