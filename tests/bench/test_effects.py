"""Effects that are known, intervals that cover them, and contrasts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bench.effects import Effects, centred, weighted_effects


def test_without_noise_the_effects_are_exact() -> None:
    design = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    found = weighted_effects(
        design, np.array([2.0, 3.5, 2.0, 3.5]), np.array([1.0, 2.0, 3.0, 4.0]), np.arange(4)
    )
    np.testing.assert_allclose(found.estimates, [2.0, 1.5], rtol=1e-6)
    np.testing.assert_allclose(found.errors, 0.0, atol=1e-6)


def test_weights_undo_a_selection() -> None:
    design = np.ones((4, 1))
    chosen = weighted_effects(
        design, np.array([5.0, 5.0, 5.0, 1.0]), np.array([1.0, 1.0, 1.0, 3.0]), np.arange(4)
    )
    assert chosen.estimates[0] == pytest.approx(3.0)


def test_a_user_who_repeats_is_not_more_certain() -> None:
    rng = np.random.default_rng(3)
    ratings, users = rng.normal(size=40), np.arange(40)
    once = weighted_effects(np.ones((40, 1)), ratings, np.ones(40), users)
    thrice = weighted_effects(
        np.ones((120, 1)), np.tile(ratings, 3), np.ones(120), np.tile(users, 3)
    )
    np.testing.assert_allclose(thrice.errors, once.errors, rtol=1e-2)


def test_intervals_cover_what_they_promise() -> None:
    rng = np.random.default_rng(4)
    users = np.repeat(np.arange(60), 5)
    covered = 0
    for _ in range(300):
        design = np.stack([np.ones(300), rng.integers(2, size=300)], axis=1)
        ratings = 3.0 + 0.4 * design[:, 1] + rng.normal(size=60)[users] + rng.normal(size=300)
        low, high = weighted_effects(design, ratings, np.ones(300), users).intervals()[1]
        covered += low <= 0.4 <= high
    assert 0.91 <= covered / 300 <= 0.98


def test_levels_against_the_average_item() -> None:
    found = Effects(np.array([1.0, 2.0]), np.diag([0.04, 0.09])).combined(
        centred(np.array([5.0, 3.0, 2.0]))
    )
    np.testing.assert_allclose(found.estimates, [-0.7, 0.3, 1.3])
    np.testing.assert_allclose(found.errors[0], np.hypot(0.3 * 0.2, 0.2 * 0.3))
