"""Bounds hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watch.bounds import mean_upper, share_lower, share_upper


def upper(hits: float, posts: float, risk: float) -> float:
    return float(share_upper(np.array([hits]), np.array([posts]), risk)[0])


@given(st.integers(0, 500), st.integers(1, 500), st.floats(1e-6, 0.2))
def test_a_share_is_between_its_bounds(hits: int, posts: int, risk: float) -> None:
    hits = min(hits, posts)
    assert share_lower(hits, posts, risk) <= hits / posts + 1e-9
    assert upper(hits, posts, risk) >= hits / posts - 1e-9
    assert upper(hits, posts, risk / 10) >= upper(hits, posts, risk)


def test_without_posts_nothing_is_known() -> None:
    assert upper(0, 0, 0.01) == 1.0
    assert mean_upper(np.zeros(0), 0.01) == 1.0
    assert mean_upper(np.array([0.3]), 0.01) == 1.0


def test_no_hits_of_many_is_the_rule_of_the_logarithm() -> None:
    assert upper(0, 1_000, 0.01) == pytest.approx(1 - 0.01 ** (1 / 1_000), rel=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_share_is_missed_as_seldom_as_was_asked(share: float) -> None:
    random = np.random.default_rng(5)
    hits = random.binomial(400, share, 4_000).astype(float)
    missed = share_upper(hits, np.full(4_000, 400.0), 0.05) < share
    assert missed.mean() <= 0.05
    assert share_upper(hits, np.full(4_000, 400.0), 0.05).mean() < 2.0 * share + 0.02


@pytest.mark.parametrize("lean", [0.3, 1.0, 4.0])
def test_a_mean_is_missed_as_seldom_as_was_asked(lean: float) -> None:
    random = np.random.default_rng(5)
    true = 2.0 * lean / (lean + 1.0) - 1.0
    told = [mean_upper(2.0 * random.beta(lean, 1.0, 120) - 1.0, 0.05) for _ in range(300)]
    assert np.mean(np.array(told) < true) <= 0.05
    assert np.mean(told) < true + 0.35
