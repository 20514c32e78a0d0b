"""Moods are learned from labels."""

from __future__ import annotations

import numpy as np

from learner.watch.mood import ENOUGH, Mood, Ridge
from tests.learner.watch.posting import DIMENSION, vector


def test_nothing_is_told_before_enough_is_known() -> None:
    mood = Mood(DIMENSION)
    for number in range(ENOUGH):
        assert mood.told("fine", vector(1, number)) is None
        mood.learn("fine", vector(1, number), 0.5)
    assert mood.told("fine", vector(1, 99)) is not None


def test_vectors_and_words_are_told_apart() -> None:
    mood = Mood(DIMENSION)
    for number in range(100):
        good = number % 2 == 0
        mood.learn(
            "it is great" if good else "it is awful", vector(0, number), 0.8 if good else -0.8
        )
        mood.learn("hm", vector(1 if good else 2, number), 0.5 if good else -0.5)
    told = [mood.told("so great", vector(0, 500)), mood.told("so awful", vector(0, 501))]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0] > 0.3 > -0.3 > told[1]
    seen = [mood.told("hm", vector(1, 500)), mood.told("hm", vector(2, 500))]
    assert seen[0] is not None
    assert seen[1] is not None
    assert seen[0] > 0.2 > -0.2 > seen[1]


def test_it_is_never_beyond_one() -> None:
    mood = Mood(DIMENSION)
    for number in range(60):
        mood.learn("splendid", vector(1, number), 1.0)
    told = mood.told("splendid splendid", 3.0 * vector(1, 1))
    assert told is not None
    assert 0.5 < told <= 1.0


def test_ridge_is_what_all_examples_give_at_once() -> None:
    random = np.random.default_rng(4)
    features, right = random.normal(size=(50, 6)), random.normal(size=50)
    ridge = Ridge(6)
    for one, label in zip(features, right, strict=True):
        ridge.learn(one, float(label))
    whole = np.linalg.solve(features.T @ features + np.eye(6), features.T @ right)
    np.testing.assert_allclose(ridge.weights, whole, atol=1e-9)


def test_a_text_without_words_is_told_too() -> None:
    mood = Mood(DIMENSION)
    for number in range(ENOUGH):
        mood.learn("", vector(1, number), -0.4)
    told = mood.told("", vector(1, 77))
    assert told is not None
    assert told < 0.0
