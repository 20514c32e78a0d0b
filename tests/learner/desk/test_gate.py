"""The gate: shares over what is allowed, and weights that follow what was right."""

from __future__ import annotations

import numpy as np

from learner.desk.gate import FEATURES, FIRST, Gate


def test_what_is_not_allowed_has_no_share() -> None:
    features = np.random.default_rng(0).normal(size=(4, len(FEATURES)))
    shares = Gate().shares(features, np.array([True, False, True, False]))
    assert shares[1] == shares[3] == 0.0
    np.testing.assert_allclose(shares.sum(), 1.0)
    assert not Gate().shares(features, np.zeros(4, np.bool_)).any()


def test_the_feature_that_tells_gains_and_one_that_misleads_loses() -> None:
    gate, allowed = Gate(), np.ones(3, np.bool_)
    random = np.random.default_rng(1)
    for _ in range(300):
        right = int(random.integers(3))
        features = np.zeros((3, len(FEATURES)))
        features[right, 0] = 0.2  # nearest
        features[(right + 1) % 3, 3] = 0.2  # own
        gate.learn(features, gate.shares(features, allowed), right)
    assert gate.weights[0] > FIRST[0]
    assert gate.weights[3] < FIRST[3]


def test_shares_are_what_they_say_once_it_has_learned() -> None:
    gate, allowed = Gate(), np.ones(2, np.bool_)
    random = np.random.default_rng(2)
    told = []
    for _ in range(3_000):
        right = int(random.random() < 0.25)  # the feature stands at 0, which is right in 3 of 4
        features = np.zeros((2, len(FEATURES)))
        features[0, 4] = 1.0
        shares = gate.shares(features, allowed)
        told.append(shares[0])
        gate.learn(features, shares, right)
    np.testing.assert_allclose(np.mean(told[-1_000:]), 0.75, atol=0.05)
