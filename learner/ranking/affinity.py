"""What a user's history says of other items: sums over a few short table rows, collected in one
scratch row an item.

It knows nothing about candidates or weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import add_categories, add_taste
from learner.catalogue.kernel import grown, kernel
from learner.catalogue.nearest.text import NEAREST
from learner.counts.counts import FAR_DECAY, NEAR_DECAY, RECENT_WINDOW, CountState
from learner.counts.neighbours import Neighbours

__all__ = [
    "COVISITATION",
    "FAR",
    "FEW",
    "LONG",
    "MANY",
    "RELATED",
    "RELATED_DECAY",
    "RELATED_FAR",
    "SHORT",
    "TASTES",
    "TEXT",
    "TEXT_COVISITATION",
    "TEXT_DEPTH",
    "USER_SIGNALS",
    "Scratch",
    "clear",
    "collect",
    "empty_scratch",
    "spread_by_text",
    "widened",
]

(
    COVISITATION,
    AFFINITY_10,
    AFFINITY_50,
    AFFINITY_ANY,
    LAST,
    NEAR,
    NEAR_ANY,
    RECENT,
    FAR,
    TEXT,
    TEXT_COVISITATION,
    RELATED,
    RELATED_1,
    RELATED_2,
    RELATED_FAR,
) = range(15)
USER_SIGNALS = 15
WIDTH = 16  # of a scratch row: one cache line
SHORT, LONG, TEXT_DEPTH = 10, 50, 3
TASTES = 3
FEW, MANY = 5, 30
PRIOR_COUNT = 5.0
RELATED_DECAY = 0.85


class Scratch(NamedTuple):
    """Reused between users. affinity: (N, 16), zero but for the first `used[0]` of `touched` (N,).
    taste: (3, C) of the user at hand: of all they had, of the last `FEW`, of the last `MANY`.

    stamp, blocked, member: (N,) an item was touched, is left out, is a candidate in this round if
    it holds `round[0]`.
    """

    affinity: NDArray[np.float32]
    touched: NDArray[np.int32]
    used: NDArray[np.int64]
    stamp: NDArray[np.int64]
    blocked: NDArray[np.int64]
    member: NDArray[np.int64]
    round: NDArray[np.int64]
    taste: NDArray[np.float32]


def empty_scratch() -> Scratch:
    """For no item yet."""
    return Scratch(
        np.zeros((0, WIDTH), np.float32),
        np.zeros(0, np.int32),
        np.zeros(1, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(1, np.int64),
        np.zeros((TASTES, 0), np.float32),
    )


def widened(scratch: Scratch, capacity: int, categories: int) -> Scratch:
    """With room for `capacity` items and so many categories."""
    fixed = ("used", "round", "taste")
    arrays = {
        name: array if name in fixed else grown(array, capacity)
        for name, array in scratch._asdict().items()
    }
    return Scratch(**arrays | {"taste": np.zeros((TASTES, categories), np.float32)})


@kernel
def _met(
    stamp: NDArray[np.int64], touched: NDArray[np.int32], used: int, now: int, item: int
) -> int:
    """Makes the item known to this round; how many are."""
    if stamp[item] != now:
        stamp[item] = now
        touched[used] = item
        return used + 1
    return used


@kernel
def clear(scratch: Scratch) -> None:
    """Starts the next round."""
    sums, touched = scratch.affinity, scratch.touched
    for position in range(scratch.used[0]):
        for signal in range(WIDTH):
            sums[touched[position], signal] = 0.0
    scratch.used[0] = 0
    scratch.round[0] += 1


@kernel
def _add_row(scratch: Scratch, table: Neighbours, row: int, signal: int, weight: float) -> None:
    sums, stamp, touched = scratch.affinity, scratch.stamp, scratch.touched
    used, now = scratch.used[0], scratch.round[0]
    ids, values = table.ids, table.values
    factor = np.float32(weight / table.step[0])
    for place in range(table.sizes[row]):
        item = ids[row, place]
        used = _met(stamp, touched, used, now, item)
        sums[item, signal] += factor * values[row, place]
    scratch.used[0] = used


@kernel
def _add_pairs(state: CountState, scratch: Scratch, row: int, place: int) -> None:
    sums, stamp, touched = scratch.affinity, scratch.stamp, scratch.touched
    used, now = scratch.used[0], scratch.round[0]
    ids, values, step = state.pairs.ids, state.pairs.values, state.pairs.step[0]
    own = np.float32(1.0 / (np.sqrt(state.liked[row] + 1e-9) * step))
    share = np.float32(1.0 / ((state.liked[row] + PRIOR_COUNT) * step))
    short = place < SHORT
    for entry in range(state.pairs.sizes[row]):
        item, value = ids[row, entry], values[row, entry]
        used = _met(stamp, touched, used, now, item)
        sums[item, AFFINITY_50] += share * value
        if short:
            sums[item, AFFINITY_10] += share * value
            sums[item, COVISITATION] += own * value
    scratch.used[0] = used


@kernel
def _add_text(state: CountState, scratch: Scratch, row: int) -> None:
    sums, stamp, touched = scratch.affinity, scratch.stamp, scratch.touched
    used, now = scratch.used[0], scratch.round[0]
    ids, similarities = state.text.ids, state.text.similarities
    for place in range(state.text.sizes[row]):
        item = ids[row, place]
        used = _met(stamp, touched, used, now, item)
        sums[item, TEXT] += similarities[row, place]
    scratch.used[0] = used


@kernel
def _add_related(state: CountState, scratch: Scratch, row: int, place: int) -> None:
    """What the item is related to, and, of the first few, what that is related to in turn: each of
    these shares what comes by its way.
    """
    sums, stamp, touched = scratch.affinity, scratch.stamp, scratch.touched
    used, now = scratch.used[0], scratch.round[0]
    ids, kinds, sizes = state.relations.ids, state.relations.kinds, state.relations.sizes
    worth = np.float32(RELATED_DECAY**place)
    for edge in range(sizes[row]):
        item, kind = ids[row, edge], kinds[row, edge]
        used = _met(stamp, touched, used, now, item)
        sums[item, RELATED] += worth
        if kind > 0:
            sums[item, RELATED + kind] += worth
        if place < TEXT_DEPTH:
            share = worth / np.float32(sizes[item])
            for further in range(sizes[item]):
                other = ids[item, further]
                if other != row:
                    used = _met(stamp, touched, used, now, other)
                    sums[other, RELATED_FAR] += share
    scratch.used[0] = used


@kernel
def _add_tastes(
    state: CountState,
    scratch: Scratch,
    history: NDArray[np.int32],
    history_liked: NDArray[np.bool_],
) -> None:
    add_taste(state.features, history, history_liked, scratch.taste[0])
    scratch.taste[1:] = 0.0
    for place in range(min(MANY, len(history))):
        if place < FEW:
            add_categories(state.features, history[place], 1.0, scratch.taste[1])
        add_categories(state.features, history[place], 1.0, scratch.taste[2])


@kernel
def _per_like(scratch: Scratch, likes: NDArray[np.float64]) -> None:
    sums, touched = scratch.affinity, scratch.touched
    for position in range(scratch.used[0]):
        item = touched[position]
        if sums[item, COVISITATION] > 0.0:
            sums[item, COVISITATION] /= np.float32(np.sqrt(likes[item] + 1e-9))


@kernel
def collect(
    state: CountState,
    scratch: Scratch,
    history: NDArray[np.int32],
    history_liked: NDArray[np.bool_],
) -> None:
    """Fills the tastes and the scratch rows (all but the text co-visitation).

    history: (h,) newest first.
    """
    clear(scratch)
    _add_tastes(state, scratch, history, history_liked)
    liked_place = 0
    for place in range(min(LONG, len(history))):
        row = history[place]
        if place < TEXT_DEPTH:
            _add_row(scratch, state.near_any, row, NEAR_ANY, 0.5**place)
            _add_text(state, scratch, row)
        if place == 0:
            _add_row(scratch, state.last, row, LAST, 1.0)
        if place < RECENT_WINDOW:
            _add_row(scratch, state.recent, row, RECENT, NEAR_DECAY**place)
        if place < SHORT:
            _add_row(scratch, state.far, row, FAR, FAR_DECAY**place)
            _add_row(
                scratch, state.pairs_any, row, AFFINITY_ANY, 1.0 / (state.people[row] + PRIOR_COUNT)
            )
        if history_liked[place]:
            if liked_place < 3:
                _add_row(scratch, state.near, row, NEAR, 0.5**liked_place)
            _add_pairs(state, scratch, row, liked_place)
            if liked_place < SHORT:
                _add_related(state, scratch, row, liked_place)
            liked_place += 1
    _per_like(scratch, state.liked)


@kernel
def spread_by_text(state: CountState, scratch: Scratch, items: NDArray[np.int32]) -> None:
    """Hands the co-visitation of `items` to the items whose nearest text neighbours they are."""
    sums, stamp, touched = scratch.affinity, scratch.stamp, scratch.touched
    used, now = scratch.used[0], scratch.round[0]
    ids, similarities, sizes = state.text.ids, state.text.similarities, state.text.sizes
    for source in items:
        value = sums[source, COVISITATION]
        for place in range(sizes[source]):
            other, similarity = ids[source, place], similarities[source, place]
            if similarity >= similarities[other, min(NEAREST, sizes[other]) - 1]:
                used = _met(stamp, touched, used, now, other)
                sums[other, TEXT_COVISITATION] += value * similarity
    scratch.used[0] = used
