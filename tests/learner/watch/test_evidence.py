"""Evidence is raised in vain no oftener than it was laid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watch.evidence import SIZES, Evidence, mood_factors, share_factors

SHARES = np.array([0.5, 0.3, 0.15, 0.05])
MASS = 0.05


def watching(bounds: np.ndarray) -> Evidence:
    evidence = Evidence.none()
    evidence.align(list(range(1, len(bounds) + 1)))
    evidence.bounds[:] = bounds
    return evidence


def read(evidence: Evidence, place: int, ts: int, mass: float = MASS) -> list[int]:
    seen = np.zeros((len(evidence.bounds), 1))
    seen[place] = 1.0
    evidence.lay(mass)
    evidence.step(slice(None), share_factors(evidence.bounds, place), ts, seen)
    return evidence.alarms()


@given(st.floats(0.001, 0.94), st.floats(0.0, 1.0))
def test_a_share_at_or_below_its_bound_multiplies_by_one_at_most(bound: float, of: float) -> None:
    bounds = np.array([bound])
    share = of * bound
    expected = share * share_factors(bounds, 0) + (1.0 - share) * share_factors(bounds, -1)
    assert (expected <= 1.0 + 1e-9).all()
    assert (share_factors(bounds, -1) > 0.0).all()


@given(st.floats(-0.99, 0.99), st.floats(-1.0, 1.0))
def test_a_mood_at_its_bound_multiplies_by_one(bound: float, spread: float) -> None:
    low, high = max(-1.0, bound - abs(spread)), min(1.0, bound + abs(spread))
    weight = 0.5 if high == low else (bound - low) / (high - low)
    expected = (1.0 - weight) * mood_factors(bound, low) + weight * mood_factors(bound, high)
    assert expected == pytest.approx(np.ones((1, SIZES)))
    assert (mood_factors(bound, -1.0) > 0.0).all()


def test_false_alarms_are_as_many_as_masses_of_one_were_laid_at_most() -> None:
    """400 streams of 500 posts: 10,000 in all, had evidence no bound."""
    alarms, laid = 0, 0.0
    for seed in range(400):
        evidence = watching(SHARES)
        for ts, place in enumerate(np.random.default_rng(seed).choice(4, 500, p=SHARES)):
            for one in read(evidence, int(place), ts):
                alarms += 1
                evidence.evidence[one] = 0.0
        laid += 500 * MASS
    assert laid == pytest.approx(10_000.0)
    assert 100 < alarms <= laid, "the bound holds, and evidence is not without power"


def test_a_share_that_has_trebled_is_found_soon_and_since_when() -> None:
    random, changed = np.random.default_rng(3), np.array([0.45, 0.25, 0.14, 0.16])
    evidence = watching(SHARES)
    for ts in range(500):
        read(evidence, int(random.choice(4, p=SHARES)), ts, 1e-4)
    evidence.evidence[:] = 0.0
    for ts in range(500, 900):
        if 3 in read(evidence, int(random.choice(4, p=changed)), ts, 1e-4):
            break
    assert 510 < ts < 800
    onset = evidence.onset(3)
    assert 400 <= onset.ts <= ts
    assert onset.posts == ts - onset.ts + 1
    assert 0.1 < onset.sum / onset.posts < 0.4


def test_a_topic_without_a_bound_is_not_tested() -> None:
    evidence = watching(np.array([1.0]))
    for ts in range(100):
        evidence.step(slice(None), share_factors(evidence.bounds, 0), ts, np.ones((1, 1)))
    assert evidence.alarms() == []
    np.testing.assert_array_equal(mood_factors(1.0, 1.0), 1.0)


def test_what_is_known_of_a_topic_goes_with_it() -> None:
    evidence = watching(np.array([0.1, 0.2, 0.3]))
    evidence.lay(1.0)
    evidence.step(slice(1, 2), np.full((1, SIZES), 2.0), 7, 1.0)
    evidence.align([3, 9, 2])
    np.testing.assert_array_equal(evidence.bounds, [0.3, 1.0, 0.2])
    assert evidence.evidence[2, 0] == pytest.approx(2.0 / (3 * SIZES))
    assert evidence.evidence[1].sum() == 0.0
    assert evidence.onset(2).ts == 7
    evidence.restart(2)
    assert evidence.evidence[2].sum() == 0.0
    assert evidence.bounds[2] == 1.0
