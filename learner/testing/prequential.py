"""Test, then learn, example by example, in one compiled loop.

It knows nothing about how examples came about.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.counts.block import NEWCOMER_EVENTS, Block, Targets
from learner.counts.counts import CountState, count_event
from learner.counts.dense import is_large
from learner.counts.lifetime import learn_lifetime
from learner.counts.popularity import COUNT, Popularity
from learner.counts.repeats import learn_repeats
from learner.ranking import gate as gates
from learner.ranking.affinity import COVISITATION, FAR, TEXT, Scratch
from learner.ranking.candidates import is_cold
from learner.ranking.gate import FEATURES, GateState
from learner.ranking.rank import most_candidates, prepare, rank_user

__all__ = ["Outcome", "count_block", "learn_block", "test_user"]

_RECENT_COLUMNS = 4  # popularity at half-lives 50, 200, 1,000, 5,000


class Outcome(NamedTuple):
    """What the tests of a block gave. ranks: (b, 1 + peers) from 1, ties at their mean. top: (b,
    10) rows, -1 where fewer.

    cold_user, cold_item: (b,) at most two earlier events of the user, on the item.
    """

    ranks: NDArray[np.float64]
    top: NDArray[np.int32]
    cold_user: NDArray[np.bool_]
    cold_item: NDArray[np.bool_]

    @classmethod
    def empty(cls, users: int, names: int, cutoff: int) -> Outcome:
        """To be filled by `learn_block`."""
        return cls(
            np.zeros((users, names)),
            np.full((users, cutoff), -1, np.int32),
            np.zeros(users, np.bool_),
            np.zeros(users, np.bool_),
        )


@kernel
def _rank_by_column(
    values: NDArray[np.float64],
    target: int,
    allowed: NDArray[np.bool_],
    blocked: NDArray[np.int32],
    rows: int,
) -> float:
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
def _rank_by_leaders(
    popularity: Popularity,
    column: int,
    target: int,
    allowed: NDArray[np.bool_],
    scratch: Scratch,
    eligible: int,
) -> float:
    """The same where the target is among the leaders; else as one that was left out."""
    values, goal = popularity.values[column], popularity.values[column, target]
    above, equal, ranked = 0, 0, 0
    for place in range(popularity.held[column]):
        row = popularity.leaders[column, place]
        if allowed[row] and scratch.blocked[row] != scratch.round[0]:
            ranked += 1
            above += values[row] > goal
            equal += values[row] == goal
    if popularity.places[column, target] == 0:
        return ranked + 0.5 * (eligible - ranked + 1)
    return above + 0.5 * (equal + 1)


@kernel
def _rank_by_affinity(
    scratch: Scratch, signal: int, target: int, allowed: NDArray[np.bool_], eligible: int
) -> float:
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
def _rank_of(score: NDArray[np.float64], at: int, eligible: int) -> float:
    n = len(score)
    if at < 0:
        return n + 0.5 * (eligible - n + 1)
    above, equal = 0, 0
    for value in score:
        above += not value <= score[at]  # a score that is no number is worst for its target
        equal += value == score[at]
    return above + 0.5 * (equal + 1)


@kernel
def _test_peers(
    state: CountState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    blocked: NDArray[np.int32],
    target: int,
    eligible: int,
    rows: int,
    large: bool,
    ranks: NDArray[np.float64],
) -> None:
    for peer in range(1 + _RECENT_COLUMNS):
        column = COUNT if peer == 0 else peer - 1
        if large:
            ranks[peer] = _rank_by_leaders(
                state.popularity, column, target, allowed, scratch, eligible
            )
        else:
            values = state.popularity.values[column]
            ranks[peer] = _rank_by_column(values, target, allowed, blocked, rows)
    for peer, signal in enumerate((COVISITATION, FAR, TEXT)):
        ranks[1 + _RECENT_COLUMNS + peer] = _rank_by_affinity(
            scratch, signal, target, allowed, eligible
        )


@kernel
def test_user(
    state: CountState,
    gate: GateState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    block: Block,
    user: int,
    target: int,
    outcome: Outcome,
    depth: int,
    rows: int,
    announced: int,
    found: NDArray[np.int32],
    x: NDArray[np.float32],
    score: NDArray[np.float64],
) -> tuple[int, int]:
    """Ranks the target of one example and writes to `outcome`; how many candidates there are in
    `found`, `x` and `score`, and the target's place among them, -1 where it is none.
    """
    nobody = np.zeros(0, np.int32)
    prepare(state, scratch, block, user)
    n = rank_user(
        state, gate, scratch, allowed, block, user, depth, rows, 0, nobody, found, x, score
    )
    blocked = block.blocked[block.blocked_starts[user] : block.blocked_starts[user + 1]]
    eligible = announced
    for row in blocked:
        eligible -= allowed[row]
    at = -1
    for position in range(n):
        if found[position] == target:
            at = position
    outcome.ranks[user, 0] = _rank_of(score[:n], at, eligible)
    _test_peers(
        state,
        scratch,
        allowed,
        blocked,
        target,
        eligible,
        rows,
        is_large(block.dense),
        outcome.ranks[user, 1:],
    )
    order = np.argsort(-score[:n], kind="mergesort")
    for place in range(min(n, outcome.top.shape[1])):
        outcome.top[user, place] = found[order[place]]
    outcome.cold_user[user] = block.events[user] <= NEWCOMER_EVENTS
    outcome.cold_item[user] = is_cold(state, target)
    return n, at


@kernel
def learn_block(
    state: CountState,
    gate: GateState,
    scratch: Scratch,
    allowed: NDArray[np.bool_],
    block: Block,
    targets: Targets,
    outcome: Outcome,
    cold_weight: float,
    depth: int,
    rows: int,
    announced: int,
) -> None:
    """For each example in turn: tests it where it is to be tested, teaches the gate by it, then
    counts it. announced: how many of the `rows` are allowed.
    """
    most = most_candidates(depth, 0)
    found, score = np.zeros(most, np.int32), np.zeros(most, np.float64)
    x = np.zeros((most, FEATURES), np.float32)
    for user in range(len(targets.rows)):
        target = targets.rows[user]
        if targets.tested[user]:
            n, at = test_user(
                state,
                gate,
                scratch,
                allowed,
                block,
                user,
                target,
                outcome,
                depth,
                rows,
                announced,
                found,
                x,
                score,
            )
            learn_lifetime(gate.lifetime, state.features.since[target], block.at[user])
            if at >= 0:
                weight = cold_weight if outcome.cold_item[user] else 1.0
                gates.learn(
                    gate, gates.band_of(block.events[user]), found[:n], x[:n], score[:n], at, weight
                )
                shown = slice(block.beside_starts[user], block.beside_starts[user + 1])
                gates.learn_wear(
                    gate, found[:n], score[:n], at, block.beside[shown], block.impressions[shown]
                )
        learn_repeats(gate.repeats, targets.again[user])
        _count(state, block, targets, user, rows)


@kernel
def _count(state: CountState, block: Block, targets: Targets, user: int, rows: int) -> None:
    start, end = block.starts[user], block.starts[user + 1]
    history, liked = block.history[start:end], block.liked[start:end]
    count_event(
        state,
        targets.rows[user],
        targets.liked[user],
        targets.newcomer[user],
        targets.met[user],
        targets.weight[user],
        history,
        liked,
        rows,
    )


@kernel
def count_block(state: CountState, block: Block, targets: Targets, rows: int) -> None:
    """Counts each example in turn, tests none."""
    for user in range(len(targets.rows)):
        _count(state, block, targets, user, rows)
