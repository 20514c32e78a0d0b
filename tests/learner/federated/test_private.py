"""Noise of a report: bounded before it, and what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.federated.options import Options
from learner.federated.private import Privacy, epsilon
from learner.federated.state import BY_ITEM
from tests.learner.federated.small import join, rounds_of, site_of, split, take, teach


def test_only_clipped_and_noisy_weights_leave() -> None:
    rounds, site = rounds_of(Options(clients=1, rounds=1)), site_of()
    join(rounds, "c0")
    rounds.step(0.0)
    take(rounds, "c0", site)
    teach(site, split(80, 1)[0])
    honest = site.report()
    almost_none = Privacy(0.01, 1e-9).applied(honest, np.random.default_rng(1))
    assert almost_none.norm == pytest.approx(0.01, rel=1e-3)
    assert almost_none.passed.events == 0
    assert almost_none.counted.sums.sum() == 0.0
    assert all(len(one.keys) == 0 for one in almost_none.counted.tables.values())
    assert all(not almost_none.weights[name].any() for name in BY_ITEM if name in honest.weights)
    noisy = Privacy(0.01, 50.0).applied(honest, np.random.default_rng(1))
    assert float(np.std(noisy.weights["gate.weights"])) == pytest.approx(0.5, rel=0.2)


@given(st.floats(0.5, 50.0), st.integers(1, 100))
def test_more_rounds_cost_more_and_more_noise_less(noise: float, rounds: int) -> None:
    assert epsilon(noise, rounds) < epsilon(noise, rounds + 1)
    assert epsilon(noise * 1.1, rounds) < epsilon(noise, rounds)


def test_epsilon_of_one_round_is_that_of_the_gaussian_mechanism() -> None:
    """By zero concentration: ρ = (2 clips / (noise · clip))² / 2."""
    rho = 0.5 * (2.0 / 4.0) ** 2
    assert epsilon(4.0, 1, 1e-5) == pytest.approx(rho + 2 * math.sqrt(rho * math.log(1e5)))


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0, 0.0), (math.inf, 1.0), (1.0, math.nan)])
def test_it_takes_a_clip_and_noise(values: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="both are above 0"):
        Privacy(*values)
