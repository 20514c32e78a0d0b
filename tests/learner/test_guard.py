"""When a candidate takes over, when it is rolled back, and that nothing broken passes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.guard import Guard, Verdict, not_finite

SCORES = np.random.default_rng(1).choice([0.0, 0.0, 0.5, 1.0], size=600)


def test_it_waits_until_enough_is_known() -> None:
    assert Guard().verdict is Verdict.WAIT
    assert Guard(least_targets=100).observe(SCORES[:50], SCORES[:50]).verdict is Verdict.WAIT


def test_an_equal_or_better_candidate_is_promoted() -> None:
    assert Guard().observe(SCORES, SCORES).verdict is Verdict.PROMOTE
    assert Guard().observe(SCORES * 0.5, SCORES).verdict is Verdict.PROMOTE


def test_a_worse_one_is_rolled_back() -> None:
    assert Guard().observe(SCORES, SCORES * 0.5).verdict is Verdict.ROLL_BACK


def test_a_loss_within_the_margin_is_accepted() -> None:
    assert Guard(margin=0.02).observe(SCORES, SCORES * 0.99).verdict is Verdict.PROMOTE
    assert Guard(margin=0.002).observe(SCORES, SCORES * 0.99).verdict is not Verdict.PROMOTE


def test_a_loss_within_the_noise_waits() -> None:
    rng = np.random.default_rng(2)
    noisy = SCORES + rng.normal(-0.03, 1.0, size=len(SCORES))
    found = Guard().observe(SCORES, noisy - noisy.mean() + SCORES.mean() - 0.03)
    assert found.verdict is Verdict.WAIT


def test_the_past_fades() -> None:
    bad = Guard(half_life_targets=50).observe(SCORES, SCORES * 0.2)
    assert bad.observe(SCORES, SCORES * 1.2).verdict is Verdict.PROMOTE


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_breaks_the_candidate_for_good(value: float) -> None:
    broken = SCORES[:3].copy()
    broken[1] = value
    guard = Guard().observe(SCORES[:3], broken)
    assert guard.verdict is Verdict.ROLL_BACK
    assert guard.observe(SCORES, SCORES * 2).verdict is Verdict.ROLL_BACK
    assert guard.afresh().verdict is Verdict.WAIT


def test_unpaired_scores_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="paired"):
        Guard().observe(SCORES, SCORES[:-1])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40), st.integers(0, 40))
def test_how_targets_are_cut_into_batches_does_not_matter(pairs: list[tuple[float, float]], cut: int) -> None:
    serving, candidate = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    whole = Guard().observe(serving, candidate)
    parts = Guard().observe(serving[:cut], candidate[:cut]).observe(serving[cut:], candidate[cut:])
    assert parts.mean_difference == pytest.approx(whole.mean_difference, abs=1e-12)
    assert parts.weight == pytest.approx(whole.weight)
    assert parts.square == pytest.approx(whole.square)


def test_a_guard_is_a_value() -> None:
    guard = Guard()
    guard.observe(SCORES, SCORES)
    assert guard == Guard()
    assert guard.observe(SCORES[:0], SCORES[:0]) is guard


def test_not_finite_arrays_are_named() -> None:
    arrays = {"a": np.array([1.0]), "b": np.array([np.nan], np.float32), "c": np.array([1]), "d": np.array([np.inf])}
    assert not_finite(arrays) == ["b", "d"]
