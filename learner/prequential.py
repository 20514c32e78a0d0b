"""Test, then learn, example by example, in one compiled loop. It knows nothing about how examples came about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing import NamedTuple

from learner import gate as gates
from learner.candidates import COLD_EVENTS
from learner.counts import CountState, count_event
from learner.gate import FEATURES, GateState
from learner.kernel import kernel
from learner.block import Block
from learner.rank import prepare, rank_user, most_candidates
from learner.signals.affinity import COVISITATION, FAR, TEXT, Scratch
from learner.signals.popularity import COUNT

__all__ = ["Targets", "learn_block"]


class Targets(NamedTuple):
    """What happened: (b,) rows, liked, tested."""
    rows: NDArray[np.int32]
    liked: NDArray[np.bool_]
    tested: NDArray[np.bool_]


@kernel
def _rank_by_column(values: NDArray[np.float64], target: int, allowed: NDArray[np.bool_], blocked: NDArray[np.int32], rows: int) -> float:
    goal = values[target]
    above, equal = 0, 0
    for row in range(rows):
        above += allowed[row] & (values[row] > goal)
        equal += allowed[row] & (values[row] == goal)
    for row in blocked:
        above -= allowed[row] & (values[row] > goal)
        equal -= allowed[row] & (values[row] == goal)
    return above + 0.5 * (equal + 1)


@kernel
def _rank_by_affinity(scratch: Scratch, signal: int, target: int, allowed: NDArray[np.bool_], eligible: int) -> float:
    goal = scratch.affinity[target, signal]
    above, equal, positive = 0, 0, 0
    for position in range(scratch.used[0]):
        item = scratch.touched[position]
        value = scratch.affinity[item, signal]
        if value > 0.0 and allowed[item] and scratch.blocked[item] != scratch.round[0]:
            positive += 1
            above += value > goal
            equal += value == goal
    if goal <= 0.0:
        equal = eligible - positive
    return above + 0.5 * (equal + 1)


@kernel
def learn_block(
    state: CountState, gate: GateState, scratch: Scratch, allowed: NDArray[np.bool_], block: Block, targets: Targets,
    ranks: NDArray[np.float64], tops: NDArray[np.int32], slices: NDArray[np.bool_], cold_weight: float, depth: int, rows: int,
) -> None:
    """ranks: (b, 1 + peers) 1-based mean ranks of tested targets. tops: (b, 10) rows, -1 where fewer. slices: (b, 2) cold user, cold item."""
    most = most_candidates(depth, 0)
    nobody = np.zeros(0, np.int32)
    found, score = np.zeros(most, np.int32), np.zeros(most, np.float64)
    x = np.zeros((most, FEATURES), np.float32)
    announced = 0
    for row in range(rows):
        announced += allowed[row]
    for user in range(len(targets.rows)):
        target = targets.rows[user]
        if targets.tested[user]:
            prepare(state, scratch, block, user)
            blocked = block.blocked[block.blocked_starts[user] : block.blocked_starts[user + 1]]
            n = rank_user(state, gate, scratch, allowed, block, user, depth, rows, 0, nobody, found, x, score)
            eligible = announced
            for row in blocked:
                eligible -= allowed[row]
            at, above, equal = -1, 0, 0
            for position in range(n):
                if found[position] == target:
                    at = position
            if at >= 0:
                for position in range(n):
                    above += score[position] > score[at]
                    equal += score[position] == score[at]
                ranks[user, 0] = above + 0.5 * (equal + 1)
            else:
                ranks[user, 0] = n + 0.5 * (eligible - n + 1)
            order = np.argsort(-score[:n])
            for position in range(10):
                tops[user, position] = found[order[position]] if position < n else -1
            ranks[user, 1] = _rank_by_column(state.popularity.values[COUNT], target, allowed, blocked, rows)
            for peer in range(4):
                ranks[user, 2 + peer] = _rank_by_column(state.popularity.values[peer], target, allowed, blocked, rows)
            ranks[user, 6] = _rank_by_affinity(scratch, COVISITATION, target, allowed, eligible)
            ranks[user, 7] = _rank_by_affinity(scratch, FAR, target, allowed, eligible)
            ranks[user, 8] = _rank_by_affinity(scratch, TEXT, target, allowed, eligible)
            cold_item = state.popularity.values[COUNT, target] <= COLD_EVENTS
            slices[user, 0] = block.events[user] <= 2
            slices[user, 1] = cold_item
            if at >= 0:
                gates.learn(gate, gates.band_of(block.events[user]), x[:n], score[:n], at, cold_weight if cold_item else 1.0)
        start, end = block.starts[user], block.starts[user + 1]
        count_event(state, target, targets.liked[user], block.history[start:end], block.liked[start:end], rows)
