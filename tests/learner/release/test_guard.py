"""When a candidate takes over, when it is rolled back, how seldom either is by chance, and that
nothing broken passes.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.release.guard import (
    LEAST_PATIENCE,
    MOST_PATIENCE,
    WRONG_DROP,
    WRONG_PROOF,
    Bet,
    GroupShare,
    Guard,
    Verdict,
    not_finite,
)

SCORES = np.random.default_rng(1).choice([0.0, 0.0, 0.5, 1.0], size=600)
SEVEN = np.full(1, 0.7)
PATIENT = Guard(patience=MOST_PATIENCE)
PLACES = np.r_[0.0, 1.0 / np.log2(np.arange(2.0, 12.0))]
CANDIDATES, TARGETS, BATCH = 1_000, 400, 8


def drawn(hit_rate: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(CANDIDATES, TARGETS) NDCG@10 of lists that have the target at a place from 1 to 10, each as
    likely, with this chance.
    """
    hit = rng.random((CANDIDATES, TARGETS)) < hit_rate
    return np.where(hit, PLACES[rng.integers(1, 11, hit.shape)], 0.0)


def looked_at(
    serving: NDArray[np.float64],
    candidate: NDArray[np.float64],
    guard: Guard = PATIENT,
) -> Guard:
    """With a look after each batch, as of the first verdict."""
    for start in range(0, len(serving), BATCH):
        guard = guard.observe(serving[start : start + BATCH], candidate[start : start + BATCH])
        if guard.verdict is not Verdict.WAIT:
            break
    return guard


def test_it_waits_until_enough_is_known() -> None:
    assert Guard().verdict is Verdict.WAIT
    assert Guard().observe(SCORES[:5], SCORES[:5]).verdict is Verdict.WAIT
    assert Guard().observe(SCORES[:40] * 0, SCORES[:40] * 0).verdict is Verdict.WAIT


def test_an_equal_or_better_candidate_is_promoted() -> None:
    assert Guard().observe(SCORES[:50], SCORES[:50]).verdict is Verdict.PROMOTE
    assert Guard().observe(SCORES * 0.5, SCORES).verdict is Verdict.PROMOTE


def test_one_that_is_worse_gives_way_and_the_second_in_a_row_is_rolled_back() -> None:
    first = Guard().observe(SCORES, SCORES * 0.5)
    assert first.verdict is Verdict.SUPERSEDE
    assert first.afresh() == Guard(suspect=True)
    second = first.afresh().observe(SCORES, SCORES * 0.5)
    assert second.verdict is Verdict.ROLL_BACK
    assert second.afresh() == first.afresh().observe(SCORES, SCORES).afresh() == Guard()


def test_one_that_proves_nothing_gives_way_and_the_next_has_twice_the_time() -> None:
    little = np.zeros(LEAST_PATIENCE)
    little[7] = 0.5
    assert Guard().observe(little[:-1], little[:-1]).verdict is Verdict.WAIT
    tired = Guard(suspect=True).observe(little, little)
    assert tired.verdict is Verdict.SUPERSEDE
    assert tired.afresh() == Guard(patience=2 * LEAST_PATIENCE)
    assert (
        Guard(patience=MOST_PATIENCE)
        .observe(np.tile(little, 16), np.tile(little, 16) * 0.9)
        .afresh()
        .patience
        == MOST_PATIENCE
    )
    assert Guard(patience=200).observe(SCORES[:40], SCORES[:40]).afresh() == Guard(patience=100)


@pytest.mark.parametrize("hit_rate", [0.05, 0.14])
def test_an_equal_candidate_is_as_seldom_dropped_after_one_that_was_all_but_proven_worse(
    hit_rate: float,
) -> None:
    before = Guard()
    while not (worse := before.observe(SEVEN, 0.0 * SEVEN)).worse.proves(WRONG_DROP):
        before = worse
    before = before.observe(np.zeros(LEAST_PATIENCE), np.zeros(LEAST_PATIENCE))
    assert before.verdict is Verdict.SUPERSEDE
    assert not before.worse.proves(WRONG_DROP)
    rng, dropped = np.random.default_rng(6), 0
    for pair in zip(drawn(hit_rate, rng), drawn(hit_rate, rng), strict=True):
        dropped += looked_at(*pair, before.afresh()).worse.proves(WRONG_DROP)
    assert dropped <= CANDIDATES * WRONG_DROP


def test_of_equal_candidates_in_a_row_no_more_are_dropped_than_stated() -> None:
    rng, guard, candidates, dropped, rolled = np.random.default_rng(7), Guard(), 0, 0, 0
    serving, candidate = drawn(0.1, rng).ravel(), 0.98 * drawn(0.1, rng).ravel()
    for start in range(0, 100_000, BATCH):
        guard = guard.observe(serving[start : start + BATCH], candidate[start : start + BATCH])
        if guard.verdict is not Verdict.WAIT:
            candidates += 1
            dropped += guard.worse.proves(WRONG_DROP)
            rolled += guard.verdict is Verdict.ROLL_BACK
            guard = guard.afresh()
    assert candidates > 200
    assert dropped <= candidates * WRONG_DROP
    assert rolled <= 1 + candidates * WRONG_DROP**2


def test_a_poisoned_model_is_found_where_lists_seldom_hold_the_target() -> None:
    seldom = np.where(
        np.arange(2_000) % 50 == 7, 0.6, 0.0
    )  # a list in fifty holds the target, of a poisoned model none
    guard, verdicts = Guard(), []
    for start in range(0, len(seldom), BATCH):
        guard = guard.observe(seldom[start : start + BATCH], 0.0 * seldom[start : start + BATCH])
        if guard.verdict is not Verdict.WAIT:
            verdicts.append(guard.verdict)
            guard = guard.afresh()
    assert Verdict.ROLL_BACK in verdicts
    assert Verdict.PROMOTE not in verdicts


def test_a_loss_within_the_margin_is_accepted() -> None:
    assert Guard(margin=0.02).observe(SCORES, SCORES * 0.99).verdict is Verdict.PROMOTE
    assert Guard(margin=0.002).observe(SCORES, SCORES * 0.99).verdict is not Verdict.PROMOTE


def test_of_two_that_seldom_score_the_means_decide_at_last() -> None:
    serving, candidate = np.zeros(MOST_PATIENCE), np.zeros(MOST_PATIENCE)
    serving[7] = candidate[9] = 0.5
    patient = Guard(patience=MOST_PATIENCE)
    assert patient.observe(serving[:-1], candidate[:-1]).verdict is Verdict.WAIT
    assert patient.observe(serving, candidate).verdict is Verdict.PROMOTE
    assert patient.observe(serving, candidate * 0.9).verdict is Verdict.SUPERSEDE


@pytest.mark.parametrize("hit_rate", [0.05, 0.14, 0.5])
def test_one_that_lacks_no_more_than_the_margin_is_seldom_dropped_however_often_one_looks(
    hit_rate: float,
) -> None:
    rng = np.random.default_rng(3)
    ends = [
        looked_at(*pair)
        for pair in zip(drawn(hit_rate, rng), 0.98 * drawn(hit_rate, rng), strict=True)
    ]
    assert sum(end.verdict is Verdict.SUPERSEDE for end in ends) <= CANDIDATES * WRONG_DROP


def test_random_weights_are_dropped_within_so_many_hits_of_the_serving_ones() -> None:
    rng = np.random.default_rng(4)
    ends = [looked_at(*pair) for pair in zip(drawn(0.14, rng), drawn(0.002, rng), strict=True)]
    assert {end.verdict for end in ends} == {Verdict.SUPERSEDE}
    assert np.median([end.targets for end in ends]) * 0.14 < 20


def test_one_that_kept_a_little_less_than_its_share_is_seldom_taken_for_proven() -> None:
    rng = np.random.default_rng(5)
    proven = 0
    for serving, candidate in zip(drawn(0.3, rng), 0.49 * drawn(0.3, rng), strict=True):
        guards = [Guard()]
        for start in range(0, TARGETS, BATCH):
            guards.append(
                guards[-1].observe(serving[start : start + BATCH], candidate[start : start + BATCH])
            )
        proven += any(guard.holds.proves(WRONG_PROOF) for guard in guards)
    assert proven <= CANDIDATES * WRONG_PROOF


@pytest.mark.parametrize("error", [0.5, 0.1, 0.01])
def test_of_all_ways_that_fair_coins_can_fall_no_more_than_the_error_ever_prove_a_gain(
    error: float,
) -> None:
    ways = [np.array(way) for way in product([-1.0, 1.0], repeat=10)]
    proven = 0
    for way in ways:
        bets = [Bet()]
        for value in way:
            bets.append(bets[-1].on(np.array([value])))
        proven += any(bet.proves(error) for bet in bets)
    assert 0 < proven <= error * len(ways)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_breaks_the_candidate_for_good(value: float) -> None:
    broken = SCORES[:3].copy()
    broken[1] = value
    guard = Guard().observe(SCORES[:3], broken)
    assert guard.verdict is Verdict.ROLL_BACK
    assert guard.observe(SCORES, SCORES * 2).verdict is Verdict.ROLL_BACK
    assert guard.afresh() == Guard()


def test_unpaired_scores_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="paired"):
        Guard().observe(SCORES, SCORES[:-1])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_how_targets_are_cut_into_batches_does_not_matter(
    pairs: list[tuple[float, float]], cut: int
) -> None:
    serving, candidate = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    whole = Guard().observe(serving, candidate)
    parts = Guard().observe(serving[:cut], candidate[:cut]).observe(serving[cut:], candidate[cut:])
    assert parts.worse.gains == pytest.approx(whole.worse.gains)
    assert parts.holds.gains == pytest.approx(whole.holds.gains)
    assert (parts.targets, parts.candidate, parts.square) == pytest.approx(
        (whole.targets, whole.candidate, whole.square)
    )


def test_a_guard_is_a_value() -> None:
    guard = Guard()
    guard.observe(SCORES, SCORES)
    assert guard == Guard()
    assert guard.observe(SCORES[:0], SCORES[:0]) is guard


def test_not_finite_arrays_are_named() -> None:
    arrays = {
        "a": np.array([1.0]),
        "b": np.array([np.nan], np.float32),
        "c": np.array([1]),
        "d": np.array([np.inf]),
    }
    assert not_finite(arrays) == ["b", "d"]


SHARES = np.random.default_rng(2).uniform(0.0, 0.6, size=400)


def fair(shares: NDArray[np.float64], least: float, suspect: bool = False) -> Guard:
    """A candidate of equal scores that gives the group these shares, where serving gives SHARES."""
    guard = Guard(patience=MOST_PATIENCE, suspect=suspect, groups=(GroupShare("g", least),))
    for start in range(0, len(SHARES), BATCH):
        part = slice(start, start + BATCH)
        guard = guard.observe(SCORES[part], SCORES[part])
        guard = guard.observe_shares(SHARES[None, part], shares[None, part])
        if guard.verdict is not Verdict.WAIT:
            break
    return guard


def test_a_candidate_that_breaks_a_bound_more_than_what_serves_is_worse() -> None:
    guard = fair(SHARES * 0.0, 0.3)
    assert (guard.verdict, guard.short) == (Verdict.SUPERSEDE, ("g",))
    assert guard.afresh().suspect
    assert guard.afresh().groups == (GroupShare("g", 0.3),)
    assert fair(SHARES * 0.0, 0.3, suspect=True).verdict is Verdict.ROLL_BACK


def test_a_bound_that_is_held_or_that_serving_breaks_as_much_is_no_fault() -> None:
    """Less than before, and still enough; or as little as what serves."""
    for shares, least in ((SHARES * 0.8, 0.1), (SHARES, 0.9), (np.ones(len(SHARES)), 0.9)):
        guard = fair(shares, least)
        assert (guard.verdict, guard.short) == (Verdict.PROMOTE, ())


def test_shares_are_of_the_groups_there_are() -> None:
    with pytest.raises(ValueError, match="0 groups"):
        Guard().observe_shares(np.zeros((1, 3)), np.zeros((1, 3)))
