"""Which items are worth ranking for a user: the best few of every signal, and cold items that text
speaks for.

It knows nothing about weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.catalogue.order import keep_best
from learner.counts.block import Block
from learner.counts.counts import CountState
from learner.counts.dense import is_large
from learner.counts.popularity import COUNT
from learner.counts.popularity import TEXT as TEXT_POPULARITY
from learner.ranking import affinity
from learner.ranking.affinity import TEXT, TEXT_COVISITATION, USER_SIGNALS, Scratch, spread_by_text

__all__ = ["BRANDED", "COLD_DEPTH", "COLD_EVENTS", "NEARBY", "candidates", "is_cold"]

COLD_EVENTS = 2
COLD_DEPTH = 10
NEARBY = 10  # on each side
BRANDED = 5  # last items whose brands' newest items are candidates
SPREAD = 50
_LEADING = 12  # popularity columns whose leaders are candidates


@kernel
def is_cold(state: CountState, row: int) -> bool:
    """At most two events."""
    return bool(state.popularity.values[COUNT, row] <= COLD_EVENTS)


@kernel
def _join(
    scratch: Scratch, found: NDArray[np.int32], count: int, ids: NDArray[np.int32], held: int
) -> int:
    member, now = scratch.member, scratch.round[0]
    for position in range(held):
        item = ids[position]
        if member[item] != now:
            member[item] = now
            found[count] = item
            count += 1
    return count


@kernel
def _best_of(
    sums: NDArray[np.float32],
    signal: int,
    items: NDArray[np.int32],
    values: NDArray[np.float32],
    ids: NDArray[np.int32],
) -> int:
    """A heap of the `items` with the best sums above zero; returns how many it holds."""
    held = 0
    for item in items:
        value = sums[item, signal]
        if value > 0.0 and (held < len(values) or value > values[0]):
            held = keep_best(values, ids, held, value, item)
    return held


@kernel
def _open(
    scratch: Scratch, allowed: NDArray[np.bool_], items: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Those of the items that may be listed."""
    blocked, now = scratch.blocked, scratch.round[0]
    kept, count = np.empty(len(items), np.int32), 0
    for item in items:
        if allowed[item] and blocked[item] != now:
            kept[count] = item
            count += 1
    return kept[:count]


@kernel
def _cold(state: CountState, items: NDArray[np.int32]) -> NDArray[np.int32]:
    counts = state.popularity.values[COUNT]
    kept, count = np.empty(len(items), np.int32), 0
    for item in items:
        if counts[item] <= COLD_EVENTS:
            kept[count] = item
            count += 1
    return kept[:count]


@kernel
def _from_affinity(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    depth: int,
    found: NDArray[np.int32],
    count: int,
) -> int:
    sums, most = scratch.affinity, max(depth, SPREAD, COLD_DEPTH)
    values, ids = np.empty(most, np.float32), np.empty(most, np.int32)
    touched = scratch.touched[: scratch.used[0]]
    held = _best_of(sums, affinity.COVISITATION, touched, values[:SPREAD], ids)
    spread_by_text(state, scratch, ids[:held])
    items = _open(scratch, allowed, scratch.touched[: scratch.used[0]])
    for signal in range(USER_SIGNALS):
        held = _best_of(sums, signal, items, values[:depth], ids)
        count = _join(scratch, found, count, ids, held)
    cold = _cold(state, items)
    for signal in (TEXT, TEXT_COVISITATION):
        held = _best_of(sums, signal, cold, values[:COLD_DEPTH], ids)
        count = _join(scratch, found, count, ids, held)
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
    best, blocked, now = np.empty(depth, np.int32), scratch.blocked, scratch.round[0]
    all_leaders = state.popularity.leaders
    for column in range(_LEADING):
        held = 0
        for position in range(state.popularity.held[column]):
            item = all_leaders[column, position]
            if allowed[item] and blocked[item] != now:
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
    counts, blocked, now = state.popularity.values[COUNT], scratch.blocked, scratch.round[0]
    for item in range(len(row_values)):
        value = row_values[item]
        worth = held < depth or value > values[0]
        worth_cold = cold_held < COLD_DEPTH or value > cold_values[0]
        if (worth or worth_cold) and allowed[item] and blocked[item] != now:
            if worth:
                held = keep_best(values, ids, held, value, item)
            if worth_cold and counts[item] <= COLD_EVENTS:
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
    column, counts = state.popularity.values[TEXT_POPULARITY], state.popularity.values[COUNT]
    blocked, now = scratch.blocked, scratch.round[0]
    for item in range(rows):
        value = column[item]
        if (
            (held < COLD_DEPTH or value > values[0])
            and value > 0.0
            and counts[item] <= COLD_EVENTS
            and allowed[item]
            and blocked[item] != now
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
    items = _open(scratch, allowed, near[near >= 0])
    cold = _cold(state, items)
    count = _join(scratch, found, count, items, min(depth, len(items)))
    return _join(scratch, found, count, cold, min(COLD_DEPTH, len(cold)))


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
    nearest, blocked, now = np.zeros(NEARBY, np.int32), scratch.blocked, scratch.round[0]
    for step in (1, -1):
        held, place = 0, middle + step
        while 0 <= place < len(order) and held < NEARBY:
            item = order[place]
            if allowed[item] and blocked[item] != now:
                nearest[held] = item
                held += 1
            place += step
        count = _join(scratch, found, count, nearest, held)
    return count


@kernel
def _from_brands(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    lately: NDArray[np.int32],
    found: NDArray[np.int32],
    count: int,
) -> int:
    """The newest items of the brands of the items `lately`."""
    for row in lately:
        brand = state.features.brand[row]
        if brand >= 0:
            newest = state.features.newest[brand]
            items = _open(scratch, allowed, newest[newest >= 0])
            count = _join(scratch, found, count, items, len(items))
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
        last = min(block.starts[user] + BRANDED, block.starts[user + 1])
        lately = block.history[block.starts[user] : last]
        count = _from_brands(state, scratch, allowed, lately, found, count)
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
