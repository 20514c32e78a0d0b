"""Candidates of one user after another: whom they may be, that they fit, and that each is scored by
the gate.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.counts.block import Block, block_of
from learner.counts.events import past_of
from learner.fused.histories import history_batch
from learner.ranking.candidates import is_cold
from learner.ranking.gate import FEATURES, PER_SIGNAL, band_of, scores
from learner.ranking.names import LIFETIME, REPEATS
from learner.ranking.rank import most_candidates, prepare, rank_user
from tests.learner.training.small import DIMENSION, ITEMS, learner_of, log

EXAMPLES, STATES = log(300)
LEARNER = learner_of(EXAMPLES)
RANKING, GATE = LEARNER.ranking, LEARNER.parameters.gate
USERS = sorted(STATES)
ROWS = st.sets(st.integers(0, ITEMS - 1))


@dataclass(frozen=True)
class Ranked:
    """A user's candidates."""

    items: list[int]
    x: NDArray[np.float32]
    score: NDArray[np.float64]


def block(users: list[str], blocked: set[int]) -> Block:
    states = [STATES[user] for user in users]
    events = RANKING.events([one.history for one in states], create=False)
    batch = history_batch(events, [one.intent for one in states], DIMENSION)
    return block_of(
        past_of(events),
        [tuple(blocked)] * len(states),
        [one.events for one in states],
        np.arange(len(states)),
        *RANKING.dense(batch, None),
    )


def ranked(
    of: Block,
    user: int = 0,
    *,
    depth: int = 3,
    least: int = 0,
    forbidden: Set[int] = frozenset(),
    promoted: tuple[int, ...] = (),
) -> Ranked:
    state, most = RANKING.state(), most_candidates(depth, least + len(promoted))
    allowed = RANKING.catalogue.allowed.copy()
    allowed[list(forbidden)] = False
    found, score = np.full(most, -1, np.int32), np.zeros(most)
    x = np.zeros((most, FEATURES), np.float32)
    prepare(state, RANKING.scratch, of, user)
    chosen = np.array(promoted, np.int32)
    n = rank_user(
        *(state, GATE.state, RANKING.scratch, allowed, of, user, depth, ITEMS, least, chosen),
        *(found, x, score),
    )
    assert n <= most
    return Ranked(found[:n].tolist(), x[:n], score[:n])


@settings(max_examples=40)
@given(st.sampled_from(USERS), ROWS, ROWS, st.integers(1, 40), st.integers(0, ITEMS))
def test_candidates_are_distinct_allowed_and_as_many_as_are_asked_for_where_there_are(
    user: str, blocked: set[int], forbidden: set[int], depth: int, least: int
) -> None:
    found = ranked(block([user], blocked), depth=depth, least=least, forbidden=forbidden).items
    eligible = set(range(ITEMS)) - blocked - forbidden
    assert len(set(found)) == len(found)
    assert set(found) <= eligible
    assert len(found) >= min(least, len(eligible))


@settings(max_examples=30)
@given(st.sampled_from(USERS), ROWS, ROWS)
def test_whoever_is_promoted_is_a_candidate_unless_left_out(
    user: str, promoted: set[int], blocked: set[int]
) -> None:
    found = ranked(block([user], blocked), promoted=tuple(promoted)).items
    assert promoted - blocked <= set(found)
    assert not blocked & set(found)
    assert set(ranked(block([user], blocked)).items) <= set(found)


@pytest.mark.parametrize("user", USERS[:5])
def test_a_score_is_the_gates_over_the_features_of_these_candidates(user: str) -> None:
    found, again = ranked(block([user], set())), np.zeros(200)
    band = band_of(STATES[user].events)
    rows = np.array(found.items, np.int32)
    scores(GATE.state, band, rows, found.x, again)
    np.testing.assert_array_equal(again[: len(rows)], found.score)
    assert found.x.any(axis=0).mean() > 0.7
    cold = [is_cold(RANKING.state(), row) for row in found.items]
    assert found.x[:, -1].astype(bool).tolist() == cold


def test_a_user_is_ranked_alike_whoever_else_is_in_the_block() -> None:
    several = block(USERS[:6], {3, 4})
    for number, user in enumerate(USERS[:6]):
        alone, among = ranked(block([user], {3, 4})), ranked(several, number)
        assert among.items == alone.items
        np.testing.assert_allclose(among.score, alone.score, rtol=1e-5, atol=1e-5)


def test_a_deeper_look_has_all_that_a_shallow_one_had() -> None:
    for user in USERS[:8]:
        of = block([user], set())
        found = [set(ranked(of, depth=depth).items) for depth in (1, 4, 16)]
        assert found[0] <= found[1] <= found[2]
        assert len(found[0]) < len(found[2])


@settings(max_examples=30)
@given(st.sampled_from(USERS), ROWS, st.integers(1, 12))
def test_the_last_announced_are_candidates_where_a_time_is_meant(
    user: str, blocked: set[int], depth: int
) -> None:
    timeless = block([user], blocked)
    timed = timeless._replace(at=np.array([1 << 41], np.int64))
    order = RANKING.state().features.order[::-1][: 4 * depth].tolist()
    before, found = (ranked(one, depth=depth).items for one in (timeless, timed))
    assert found[: len(before)] == before
    more = [row for row in order if row not in blocked and row not in before][:depth]
    assert found[len(before) :] == more


@settings(max_examples=30)
@given(st.sampled_from(USERS), ROWS)
def test_what_the_user_took_is_a_candidate_where_repeats_count(
    user: str, blocked: set[int]
) -> None:
    closed = block([user], blocked)
    taken = np.arange(len(closed.history), dtype=np.int32) % 3
    found = ranked(closed._replace(taken=taken)).items
    took = {int(row) for row, count in zip(closed.history, taken, strict=True) if count}
    assert took - blocked <= set(found)
    assert set(ranked(closed).items) | (took - blocked) == set(found)


@pytest.mark.parametrize("user", USERS[:3])
def test_neither_says_anything_where_it_does_not_count(user: str) -> None:
    of = block([user], set())
    quiet = ranked(of).x
    said = ranked(of._replace(at=np.array([1 << 41]), taken=of.taken + 1), depth=ITEMS).x
    for signal in (LIFETIME, REPEATS, REPEATS + 1):
        columns = slice(PER_SIGNAL * signal, PER_SIGNAL * (signal + 1))
        assert not quiet[:, columns].any()
        if len(of.history) and signal != LIFETIME:
            assert said[:, columns].any()
