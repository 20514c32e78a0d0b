"""The attack finds who is in what is told as it is, and the area is that of ranks."""

from __future__ import annotations

import numpy as np

from bench.simulations.membership import auc, ratios


def test_the_area_counts_ties_half() -> None:
    assert auc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auc([1.0], [1.0]) == 0.5
    assert auc([0.0, 2.0], [1.0]) == 0.5


def test_who_is_in_exact_counts_is_found_and_in_noise_is_not() -> None:
    rng = np.random.default_rng(2)
    members = rng.random((24, 10)) < 0.5
    own = [np.array([user]) for user in range(10)]
    exact = members.astype(float) + rng.normal(scale=0.05, size=members.shape)
    found = ratios(exact, members, own)
    assert auc(found[members].tolist(), found[~members].tolist()) > 0.95
    noise = ratios(rng.normal(size=members.shape), members, own)
    assert 0.3 < auc(noise[members].tolist(), noise[~members].tolist()) < 0.7
