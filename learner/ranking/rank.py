"""Ranking one user after another: collect, choose candidates, make features, score. It knows
nothing about examples or text.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import NEWEST, distance, read_tastes
from learner.catalogue.kernel import kernel
from learner.counts.block import Block
from learner.counts.counts import CountState
from learner.counts.dense import is_large, read_dense
from learner.counts.events import HISTORY
from learner.counts.lifetime import read_lifetime
from learner.counts.popularity import COUNT, FIRST, LAST, TEXT
from learner.counts.repeats import read_repeats
from learner.ranking import affinity
from learner.ranking import gate as gates
from learner.ranking.affinity import FEW, MANY, TASTES, USER_SIGNALS, Scratch, collect
from learner.ranking.candidates import BRANDED, COLD_DEPTH, NEARBY, candidates, is_cold
from learner.ranking.gate import GateState
from learner.ranking.lately import (
    LEVELS,
    read_brands,
    read_level,
    read_order,
    read_prices,
    read_years,
)
from learner.ranking.names import (
    DENSE,
    FIRST_DENSE,
    FIRST_FEATURE,
    FIRST_LATELY,
    FIRST_ORDER,
    FIRST_USER,
    LIFETIME,
    REPEATS,
    SIGNALS,
)

__all__ = ["most_candidates", "prepare", "rank_user", "read_features"]

_EPSILON = 1e-2
PRICED = 10  # last items whose prices count
_FILLED = 10_000  # rows of a large catalogue that a list is filled up from
_LOOKED_BACK = 4  # announcements for each that is to be a candidate
_LIKE_RATE = SIGNALS.index("like_rate")


@kernel
def prepare(state: CountState, scratch: Scratch, block: Block, user: int) -> None:
    """Collects the user's signals and marks what is left out."""
    start, end = block.starts[user], block.starts[user + 1]
    collect(state, scratch, block.history[start:end], block.liked[start:end])
    for position in range(block.blocked_starts[user], block.blocked_starts[user + 1]):
        scratch.blocked[block.blocked[position]] = scratch.round[0]


@kernel
def read_features(
    state: CountState,
    scratch: Scratch,
    block: Block,
    user: int,
    found: NDArray[np.int32],
    raw: NDArray[np.float32],
) -> None:
    """Writes what the features say of each found item into its rows of `raw`."""
    start, end = block.starts[user], block.starts[user + 1]
    read_tastes(state.features, scratch.taste, found, raw[FIRST_FEATURE : FIRST_FEATURE + TASTES])
    for position in range(len(found)):
        item = found[position]
        away = distance(state.features, block.history[start], item) if end > start else 0
        raw[FIRST_ORDER, position] = -np.log1p(abs(away))
        raw[FIRST_ORDER + 1, position] = np.sign(away)
    history = block.history[start:end]
    read_years(state.features, history[:FEW], found, raw[FIRST_LATELY + 2])
    read_order(state.features, history[:FEW], found, raw[FIRST_LATELY + 5])
    read_order(state.features, history[:MANY], found, raw[FIRST_LATELY + 6])
    read_prices(state.features, history[:PRICED], found, raw[FIRST_LATELY + 7])
    read_brands(state.features, history[:MANY], found, raw[FIRST_LATELY + 8])
    taken = block.taken[start:end]
    read_repeats(history, taken, found, raw[REPEATS], raw[REPEATS + 1])
    counts = state.popularity.values[COUNT]
    for which, last in enumerate(LEVELS):
        read_level(counts, history[:last], found, raw[FIRST_LATELY + 3 + which])


@kernel
def read_signals(
    state: CountState,
    gate: GateState,
    scratch: Scratch,
    block: Block,
    user: int,
    found: NDArray[np.int32],
    raw: NDArray[np.float32],
) -> None:
    """raw: (S, n) the signals of the found items, counts and affinities as logarithms."""
    pop = state.popularity
    now = state.clock[0]
    slot = block.slot[user]
    nothing = np.log(_EPSILON)  # most are: a logarithm is dear
    read_features(state, scratch, block, user, found, raw)
    read_lifetime(gate.lifetime, state.features.since, block.at[user], found, raw[LIFETIME])
    for position in range(len(found)):
        item = found[position]
        for column in range(COUNT):
            raw[column, position] = np.log(_EPSILON + pop.values[column, item] / pop.scale[column])
        count = pop.values[COUNT, item]
        raw[COUNT, position] = np.log1p(count)
        raw[LAST, position] = 1.0 / (1.0 + now - pop.values[LAST, item]) if count > 0.0 else 0.0
        raw[FIRST, position] = 1.0 / (1.0 + now - pop.values[FIRST, item]) if count > 0.0 else 0.0
        raw[TEXT, position] = np.log(_EPSILON + pop.values[TEXT, item] / pop.scale[TEXT])
        raw[_LIKE_RATE, position] = (state.liked[item] + 2.0) / (state.people[item] + 4.0)
        for signal in range(USER_SIGNALS):
            value = scratch.affinity[item, signal]
            raw[FIRST_USER + signal, position] = np.log(_EPSILON + value) if value else nothing
        raw[FIRST_USER + affinity.TEXT, position] = scratch.affinity[item, affinity.TEXT]
    for which in range(block.dense_on.shape[1]):
        if slot >= 0 and block.dense_on[slot, which]:
            read_dense(block.dense, which, slot, found, raw[FIRST_DENSE + which])
        else:
            raw[FIRST_DENSE + which] = 0.0


@kernel
def most_candidates(depth: int, more: int) -> int:
    """How many candidates a user can have at most, `more` of them promoted or filled in."""
    return (
        (len(SIGNALS) + 1) * depth
        + (len(DENSE) + 3) * COLD_DEPTH
        + 2 * NEARBY
        + BRANDED * NEWEST
        + HISTORY
        + more
    )


@kernel
def _add(
    scratch: Scratch, allowed: NDArray[np.bool_], item: int, found: NDArray[np.int32], n: int
) -> int:
    if (
        allowed[item]
        and scratch.blocked[item] != scratch.round[0]
        and scratch.member[item] != scratch.round[0]
    ):
        scratch.member[item] = scratch.round[0]
        found[n] = item
        return n + 1
    return n


@kernel
def _add_by_time(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    block: Block,
    user: int,
    depth: int,
    found: NDArray[np.int32],
    n: int,
) -> int:
    """What the user took, where repeats count; the last announced, where a time is meant."""
    for position in range(block.starts[user], block.starts[user + 1]):
        if block.taken[position] > 0:
            n = _add(scratch, allowed, block.history[position], found, n)
    if block.at[user] > 0:
        order, most = state.features.order, n + depth
        for back in range(min(_LOOKED_BACK * depth, len(order))):
            if n < most:
                n = _add(scratch, allowed, order[len(order) - 1 - back], found, n)
    return n


@kernel
def rank_user(
    state: CountState,
    gate: GateState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    block: Block,
    user: int,
    depth: int,
    rows: int,
    least: int,
    promoted: NDArray[np.int32],
    found: NDArray[np.int32],
    x: NDArray[np.float32],
    score: NDArray[np.float64],
) -> int:
    """Writes the prepared user's candidates (at least `least`, where the catalogue has so many),
    features and scores; returns how many. A large catalogue fills up from its first rows alone.
    """
    n = candidates(state, scratch, allowed, block, user, depth, rows, found)
    n = _add_by_time(state, scratch, allowed, block, user, depth, found, n)
    for item in promoted:
        n = _add(scratch, allowed, item, found, n)
    item, end = 0, min(rows, _FILLED) if is_large(block.dense) else rows
    while n < least and item < end:
        n = _add(scratch, allowed, item, found, n)
        item += 1
    if n > 0:
        raw = np.zeros((len(SIGNALS), n), np.float32)
        read_signals(state, gate, scratch, block, user, found[:n], raw)
        cold = np.zeros(n, np.bool_)
        for position in range(n):
            cold[position] = is_cold(state, found[position])
        gates.features(raw, cold, x[:n])
        gates.scores(gate, gates.band_of(block.events[user]), found[:n], x[:n], score[:n])
    return n
