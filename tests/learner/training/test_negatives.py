"""Which rows are drawn as negatives, and how probable each was."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.training.negatives import FLATTEN, NegativeSampler

NONE = np.zeros(0, np.int64)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 50)), max_size=30),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 9),
)
def test_only_announced_rows_once_each(
    items: list[tuple[bool, int]], uniform: int, popular: int, seed: int
) -> None:
    announced = np.array([flag for flag, _ in items], np.bool_)
    counts = np.array([count for _, count in items], np.float32)
    targets = np.array([seed % len(items)] if items else [], np.int64)
    drawn = NegativeSampler(announced, counts).draw(
        targets, uniform, popular, np.random.default_rng(seed)
    )
    assert announced[drawn.rows].all()
    assert (np.diff(drawn.rows) > 0).all()
    assert (drawn.log_inclusion <= 0).all()
    assert np.isfinite(drawn.log_inclusion).all()
    assert set(targets[announced[targets]]) <= set(drawn.rows)


def test_inclusion_is_what_happens() -> None:
    counts = np.array([0, 1, 4, 40], np.float32)
    sampler = NegativeSampler(np.ones(4, np.bool_), counts)
    rng, times = np.random.default_rng(1), 20_000
    seen = np.zeros(4)
    claimed = np.zeros(4)
    for _ in range(times):
        drawn = sampler.draw(NONE, uniform=1, popular=1, rng=rng)
        seen[drawn.rows] += 1
        claimed[drawn.rows] = np.exp(drawn.log_inclusion)
    popular = counts**FLATTEN / (counts**FLATTEN).sum()
    np.testing.assert_allclose(claimed, -np.expm1(-(0.25 + popular)), rtol=1e-5)
    np.testing.assert_allclose(seen / times, 1 - 0.75 * (1 - popular), atol=0.02)


def test_without_any_event_all_draws_are_uniform() -> None:
    sampler = NegativeSampler(np.ones(5, np.bool_), np.zeros(5, np.float32))
    drawn = sampler.draw(NONE, uniform=2, popular=50, rng=np.random.default_rng(1))
    assert len(drawn.rows) <= 2
    np.testing.assert_allclose(np.exp(drawn.log_inclusion), -np.expm1(-0.4), rtol=1e-5)


def test_a_seed_gives_the_same_draws() -> None:
    sampler = NegativeSampler(np.ones(100, np.bool_), np.arange(100, dtype=np.float32))
    first, second = (sampler.draw(NONE, 20, 20, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first.rows, second.rows)
