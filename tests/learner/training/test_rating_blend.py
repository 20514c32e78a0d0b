"""Residuals by hand, weights that are found again, and a start that trusts the head."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.training.rating_blend import FEATURES, LeastSquares, TextCentre, rating_features

NAN = float("nan")


def features_of(residuals: list[float], likeness: list[float]) -> dict[str, float]:
    found = rating_features(
        np.array([0.3], np.float32),
        np.array([-0.2], np.float32),
        np.array([residuals], np.float32),
        np.array([likeness], np.float32),
    )
    return dict(zip(FEATURES, found[0].tolist(), strict=True))


def test_residuals_by_hand() -> None:
    found = features_of([1.0, NAN, -1.0, NAN], [0.5, 1.0, -0.3, 1.0])
    assert found["user"] == 0.0
    np.testing.assert_allclose(found["recent"], (0.95 - 1.0) / (1.95 + 3.0))
    np.testing.assert_allclose(found["latest"], (0.8 - 1.0) / (1.8 + 1.0))
    np.testing.assert_allclose(found["alike"], 0.25 / (0.25 + 0.5))
    np.testing.assert_allclose(
        [found["head"], found["item"], found["one"]], [0.3, -0.2, 1.0], rtol=1e-6
    )


def test_like_items_count_beyond_what_the_user_gives_to_all() -> None:
    found = features_of([1.0, 1.0], [1.0, 0.0])
    np.testing.assert_allclose(
        [found["user"], found["alike"]], [2.0 / 7.0, (1.0 - 2.0 / 7.0) / 1.5]
    )


def test_a_user_without_ratings_has_no_residuals() -> None:
    found = features_of([NAN, NAN], [1.0, 1.0])
    assert [found[name] for name in ("user", "recent", "latest", "alike")] == [0.0, 0.0, 0.0, 0.0]


@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=8), st.integers(0, 5))
def test_padding_changes_nothing(residuals: list[float], padding: int) -> None:
    likeness = [0.1 * place for place in range(len(residuals))]
    padded = features_of(residuals + [NAN] * padding, likeness + [0.9] * padding)
    assert features_of(residuals, likeness) == pytest.approx(padded, abs=1e-5)


def test_likeness_is_measured_from_the_centre() -> None:
    centre, vectors = TextCentre(2), np.array([[1.0, 0.2], [1.0, -0.2], [0.0, 0.0]], np.float32)
    others = vectors[None]
    before = centre.likeness(vectors[:1], others)
    centre.learn(vectors[:2])
    np.testing.assert_allclose(before, [[1.0, 0.96 / 1.04, 0.0]], rtol=1e-5)
    np.testing.assert_allclose(centre.likeness(vectors[:1], others), [[1.0, -1.0, 0.0]], atol=1e-5)


def test_least_squares_start_at_the_prior_and_find_the_weights() -> None:
    squares = LeastSquares(np.array([1.0, 0.0]))
    np.testing.assert_allclose(squares.weights, [1.0, 0.0])
    features = np.random.default_rng(0).normal(size=(5_000, 2))
    squares.learn(features, features @ np.array([0.2, 0.7]))
    np.testing.assert_allclose(squares.weights, [0.2, 0.7], atol=0.01)


def test_restored_is_the_same() -> None:
    squares, other = LeastSquares(np.zeros(2)), LeastSquares(np.ones(2))
    squares.learn(np.array([[1.0, 2.0]]), np.array([3.0]))
    other.restore(squares.arrays())
    np.testing.assert_array_equal(squares.weights, other.weights)
    centre, copy = TextCentre(2), TextCentre(2)
    centre.learn(np.array([[1.0, 0.0]], np.float32))
    copy.restore(centre.arrays())
    np.testing.assert_array_equal(copy.arrays()["sum"], [1.0, 0.0])
