"""Which items are worth ranking for a user: the best few of every signal, and cold items that text
speaks for.

It knows nothing about weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.counts.block import Block
from learner.counts.counts import CountState
from learner.counts.dense import is_large
from learner.counts.popularity import COUNT
from learner.counts.popularity import TEXT as TEXT_POPULARITY
from learner.ranking import affinity
from learner.ranking.affinity import TEXT, TEXT_COVISITATION, USER_SIGNALS, Scratch, spread_by_text

__all__ = ["COLD_DEPTH", "COLD_EVENTS", "NEARBY", "candidates", "is_cold"]

COLD_EVENTS = 2
COLD_DEPTH = 10
NEARBY = 10  # on each side
SPREAD = 50
_LEADING = 12  # popularity columns whose leaders are candidates


@kernel
def keep_best(
    values: NDArray[Any], ids: NDArray[np.int32], held: int, value: float, item: int
) -> int:
    """A heap of the best `len(values)`, the worst on top; of equals the first stays. Returns how
    many it holds.
    """
    if held < len(values):
        place = held
        while place > 0 and values[(place - 1) // 2] > value:
            values[place], ids[place] = values[(place - 1) // 2], ids[(place - 1) // 2]
            place = (place - 1) // 2
        values[place], ids[place] = value, item
        return held + 1
    if value <= values[0]:
        return held
    place = 0
    while True:
        child = 2 * place + 1
        if child >= held:
            break
        if child + 1 < held and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[place], ids[place] = values[child], ids[child]
        place = child
    values[place], ids[place] = value, item
    return held


@kernel
def is_cold(state: CountState, row: int) -> bool:
    """At most two events."""
    return bool(state.popularity.values[COUNT, row] <= COLD_EVENTS)


@kernel
def _join(
    scratch: Scratch, found: NDArray[np.int32], count: int, ids: NDArray[np.int32], held: int
) -> int:
    for position in range(held):
        item = ids[position]
        if scratch.member[item] != scratch.round[0]:
            scratch.member[item] = scratch.round[0]
            found[count] = item
            count += 1
    return count


@kernel
def _from_affinity(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    depth: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    values = np.zeros((USER_SIGNALS, depth), np.float32)
    ids = np.zeros((USER_SIGNALS, depth), np.int32)
    held = np.zeros(USER_SIGNALS, np.int64)
    cold_values = np.zeros((2, COLD_DEPTH), np.float32)
    cold_ids = np.zeros((2, COLD_DEPTH), np.int32)
    cold_held = np.zeros(2, np.int64)
    spread_values = np.zeros(SPREAD, np.float32)
    spread_ids = np.zeros(SPREAD, np.int32)
    spread_held = 0
    for position in range(scratch.used[0]):
        item = scratch.touched[position]
        value = scratch.affinity[item, affinity.COVISITATION]
        if value > 0.0:
            spread_held = keep_best(spread_values, spread_ids, spread_held, value, item)
    spread_by_text(state, scratch, spread_ids[:spread_held])
    for position in range(scratch.used[0]):
        item = scratch.touched[position]
        if not allowed[item] or scratch.blocked[item] == scratch.round[0]:
            continue
        for signal in range(USER_SIGNALS):
            value = scratch.affinity[item, signal]
            if value > 0.0:
                held[signal] = keep_best(values[signal], ids[signal], held[signal], value, item)
        if is_cold(state, item):
            for which, signal in enumerate((TEXT, TEXT_COVISITATION)):
                value = scratch.affinity[item, signal]
                if value > 0.0:
                    cold_held[which] = keep_best(
                        cold_values[which], cold_ids[which], cold_held[which], value, item
                    )
    for signal in range(USER_SIGNALS):
        count = _join(scratch, found, count, ids[signal], held[signal])
    for which in range(2):
        count = _join(scratch, found, count, cold_ids[which], cold_held[which])
    return count


@kernel
def _from_popularity(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    depth: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    best = np.zeros(depth, np.int32)
    for column in range(_LEADING):
        held = 0
        for position in range(state.popularity.held[column]):
            item = state.popularity.leaders[column, position]
            if allowed[item] and scratch.blocked[item] != scratch.round[0]:
                best[held] = item
                held += 1
                if held == depth:
                    break
        count = _join(scratch, found, count, best, held)
    return count


@kernel
def _from_dense(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    row_values: NDArray[np.float32],
    depth: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    values, ids, held = np.zeros(depth, np.float32), np.zeros(depth, np.int32), 0
    cold_values, cold_ids, cold_held = (
        np.zeros(COLD_DEPTH, np.float32),
        np.zeros(COLD_DEPTH, np.int32),
        0,
    )
    for item in range(len(row_values)):
        value = row_values[item]
        worth = held < depth or value > values[0]
        worth_cold = cold_held < COLD_DEPTH or value > cold_values[0]
        if (worth or worth_cold) and allowed[item] and scratch.blocked[item] != scratch.round[0]:
            if worth:
                held = keep_best(values, ids, held, value, item)
            if worth_cold and is_cold(state, item):
                cold_held = keep_best(cold_values, cold_ids, cold_held, value, item)
    count = _join(scratch, found, count, ids, held)
    return _join(scratch, found, count, cold_ids, cold_held)


@kernel
def _cold_by_text_popularity(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    rows: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    values, ids, held = np.zeros(COLD_DEPTH, np.float64), np.zeros(COLD_DEPTH, np.int32), 0
    column = state.popularity.values[TEXT_POPULARITY]
    for item in range(rows):
        value = column[item]
        if (
            (held < COLD_DEPTH or value > values[0])
            and value > 0.0
            and is_cold(state, item)
            and allowed[item]
            and scratch.blocked[item] != scratch.round[0]
        ):
            held = keep_best(values, ids, held, value, item)
    return _join(scratch, found, count, ids, held)


@kernel
def _from_near(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    near: NDArray[np.int32],
    depth: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    """The best and the best cold ones of rows that come best first."""
    ids, held = np.zeros(depth, np.int32), 0
    cold_ids, cold_held = np.zeros(COLD_DEPTH, np.int32), 0
    for item in near:
        if item < 0 or not allowed[item] or scratch.blocked[item] == scratch.round[0]:
            continue
        if held < depth:
            ids[held] = item
            held += 1
        if cold_held < COLD_DEPTH and is_cold(state, item):
            cold_ids[cold_held] = item
            cold_held += 1
    count = _join(scratch, found, count, ids, held)
    return _join(scratch, found, count, cold_ids, cold_held)


@kernel
def _from_catalogue(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    start: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    """The items announced next before and after `start`."""
    order, middle = state.features.order, state.features.position[start]
    if middle < 0:
        return count
    nearest = np.zeros(NEARBY, np.int32)
    for step in (1, -1):
        held, place = 0, middle + step
        while 0 <= place < len(order) and held < NEARBY:
            item = order[place]
            if allowed[item] and scratch.blocked[item] != scratch.round[0]:
                nearest[held] = item
                held += 1
            place += step
        count = _join(scratch, found, count, nearest, held)
    return count


@kernel
def candidates(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    block: Block,
    user: int,
    depth: int,
    rows: int,
    found: NDArray[np.int32],
) -> int:
    """Writes the candidates of the collected user to `found` (room for all signals), returns how
    many.
    """
    count = _from_affinity(state, scratch, allowed, depth, found, 0)
    count = _from_popularity(state, scratch, allowed, depth, found, count)
    large = is_large(block.dense)
    if large:
        leaders = state.popularity.leaders[TEXT_POPULARITY]
        leaders = leaders[: state.popularity.held[TEXT_POPULARITY]]
        count = _from_near(state, scratch, allowed, leaders, 0, found, count)
    else:
        count = _cold_by_text_popularity(state, scratch, allowed, rows, found, count)
    if block.starts[user + 1] > block.starts[user]:
        count = _from_catalogue(
            state, scratch, allowed, block.history[block.starts[user]], found, count
        )
    slot = block.slot[user]
    if slot >= 0:
        for which in range(block.dense_on.shape[1]):
            if large:
                near = block.dense.near[which, slot]
                count = _from_near(state, scratch, allowed, near, depth, found, count)
            elif block.dense_on[slot, which]:
                scores = block.dense.scores[which, slot, :rows]
                count = _from_dense(state, scratch, allowed, scores, depth, found, count)
    return count
