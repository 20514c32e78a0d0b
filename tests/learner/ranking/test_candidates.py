"""Which items a user's candidates are, against sorting each signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.catalogue.features import NEWEST
from learner.counts.block import Block, block_of
from learner.counts.events import past_of
from learner.counts.popularity import COUNT
from learner.fused.histories import history_batch
from learner.ranking.affinity import TEXT, TEXT_COVISITATION, USER_SIGNALS
from learner.ranking.candidates import BRANDED, COLD_DEPTH, COLD_EVENTS, candidates
from learner.ranking.rank import most_candidates, prepare
from tests.learner.training.small import DIMENSION, ITEMS, catalogue, learner_of, log

EXAMPLES, STATES = log(300)
RANKING = learner_of(EXAMPLES).ranking
FORBIDDEN = [3, 40, 77]


def block(user: str) -> Block:
    state = STATES[user]
    events = RANKING.events([state.history], create=False)
    batch = history_batch(events, [state.intent], DIMENSION)
    return block_of(
        past_of(events),
        [tuple(RANKING.catalogue.rows(state.had))],
        [state.events],
        np.arange(1),
        *RANKING.dense(batch, None),
    )


def best(values: NDArray[np.float32], items: NDArray[np.int64], most: int) -> set[int]:
    """Those of the items that are above the one that just falls out."""
    least = max(0.0, *np.sort(values[items])[::-1][most : most + 1], 0.0)
    return {int(item) for item in items if values[item] > least}


@pytest.mark.parametrize("depth", [1, 4, 60])
@pytest.mark.parametrize("user", sorted(STATES)[:8])
def test_the_best_of_each_signal_are_candidates_once_and_what_is_left_out_is_not(
    user: str, depth: int
) -> None:
    state, scratch, one = RANKING.state(), RANKING.scratch, block(user)
    allowed = RANKING.catalogue.allowed.copy()
    allowed[FORBIDDEN] = False
    found = np.full(most_candidates(depth, 0), -1, np.int32)
    prepare(state, scratch, one, 0)
    count = candidates(state, scratch, allowed, one, 0, depth, ITEMS, found)
    chosen = set(found[:count].tolist())
    assert len(chosen) == count
    assert chosen.isdisjoint([*FORBIDDEN, *one.blocked.tolist()])
    items = np.array([row for row in np.flatnonzero(allowed) if row not in one.blocked])
    counts = state.popularity.values[COUNT]
    cold = items[counts[items] <= COLD_EVENTS]
    for signal in range(USER_SIGNALS):
        assert best(scratch.affinity[:, signal], items, depth) <= chosen
    for signal in (TEXT, TEXT_COVISITATION):
        assert best(scratch.affinity[:, signal], cold, COLD_DEPTH) <= chosen
    assert best(one.dense.scores[0, 0], items, depth) <= chosen


def test_the_newest_items_of_the_last_brands_are_candidates() -> None:
    learner = learner_of(EXAMPLES)
    learner.add_items(
        [replace(item, ts=n, brand=f"brand {n % 4}") for n, item in enumerate(catalogue())]
    )
    ranking, state = learner.ranking, learner.ranking.state()
    user = max(STATES, key=lambda name: STATES[name].events)
    events = ranking.events([STATES[user].history], create=False)
    batch = history_batch(events, [STATES[user].intent], DIMENSION)
    dense = ranking.dense(batch, None)
    one = block_of(past_of(events), [()], [STATES[user].events], np.arange(1), *dense)
    found = np.full(most_candidates(1, 0), -1, np.int32)
    prepare(state, ranking.scratch, one, 0)
    allowed = ranking.catalogue.allowed
    count = candidates(state, ranking.scratch, allowed, one, 0, 1, ITEMS, found)
    lately = {int(row) % 4 for row in one.history[:BRANDED]}
    for brand in lately:
        newest = [row for row in range(ITEMS - 1, -1, -1) if row % 4 == brand][:NEWEST]
        assert set(newest) <= set(found[:count].tolist())
