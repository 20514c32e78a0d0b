"""Peers of a watch over posts, on vectors that are made up."""

from __future__ import annotations

import numpy as np

from stream.replay.recipes.posts import COUNTED, FITTED_ON, ClusterCounts, RefittedRidge
from upwell.values import Vector

RNG = np.random.default_rng(5)


def vector(kind: int) -> Vector:
    found = 0.1 * RNG.normal(size=16)
    found[kind] += 1.0
    return np.asarray(found / np.linalg.norm(found), np.float32)


def test_ridge_tells_what_it_was_fitted_on() -> None:
    ridge = RefittedRidge()
    assert ridge.told(vector(0)) is None
    for number in range(100):
        kind = number % 2
        ridge.learn(vector(kind), 1.0 if kind else -1.0)
    told = [ridge.told(vector(kind)) for kind in (0, 1)]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0] < -0.5 < 0.5 < told[1]


def test_a_cluster_that_swells_raises_one_alarm() -> None:
    counts = ClusterCounts(seed=1)
    for number in range(FITTED_ON + 3 * COUNTED):
        assert counts.read(vector(number % 12)) is None
    alarms = [counts.read(vector(3 if number % 2 else number % 12)) for number in range(COUNTED)]
    assert len([one for one in alarms if one is not None]) == 1
