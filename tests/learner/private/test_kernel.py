"""What an example would teach: the gradient of the log-likelihood, and nothing changed by it."""

from __future__ import annotations

import numpy as np

from learner.private.kernel import softmax_gradient


def likelihood(weights: np.ndarray, x: np.ndarray, target: int) -> float:
    score = x @ weights
    return float(score[target] - np.log(np.exp(score).sum()))


def test_it_is_the_slope_of_the_log_likelihood() -> None:
    rng = np.random.default_rng(1)
    x, weights = rng.normal(size=(9, 5)), rng.normal(size=5)
    found = np.zeros(5, np.float32)
    softmax_gradient(x.astype(np.float32), x @ weights, 4, found)
    for feature in range(5):
        step = np.zeros(5)
        step[feature] = 1e-5
        slope = (likelihood(weights + step, x, 4) - likelihood(weights - step, x, 4)) / 2e-5
        assert abs(slope - found[feature]) < 1e-4
