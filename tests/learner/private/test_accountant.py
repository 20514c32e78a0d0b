"""ε and δ of Gaussian noise: as dp-accounting reckons them, and as the definition says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.private.accountant import composed, delta_of, epsilon_of, mu_for

OF_DP_ACCOUNTING = (
    # noise multiplier, δ, releases, ε by PLDAccountant
    (1.0, 1e-5, 1, 4.3771781000249295),
    (0.5, 1 / 610, 1, 7.271454974468605),
    (2.0, 1e-6, 4, 4.8865541243770325),
    (0.4655, 1 / 610, 1, 7.999727476566692),
    (3.0, 1e-6, 9, 4.8865541243770325),
)
"""Printed by `python -m bench.simulations.accountants` with dp-accounting 0.6.0."""


@pytest.mark.parametrize(("sigma", "delta", "releases", "epsilon"), OF_DP_ACCOUNTING)
def test_it_reckons_as_dp_accounting_does(
    sigma: float, delta: float, releases: int, epsilon: float
) -> None:
    mu = composed([1.0 / sigma] * releases)
    assert epsilon_of(mu, delta) == pytest.approx(epsilon, rel=1e-6)


@given(st.floats(0.01, 30.0), st.floats(1e-12, 0.09))
def test_a_budget_is_never_overspent(epsilon: float, delta: float) -> None:
    mu = mu_for(epsilon, delta)
    assert delta_of(mu, epsilon) <= delta
    assert epsilon_of(mu, delta) <= epsilon * (1.0 + 1e-9)
    assert epsilon_of(mu * 1.001, delta) > epsilon


@given(st.floats(0.001, 60.0), st.floats(0.0, 60.0))
def test_delta_is_a_chance_and_falls_with_epsilon(mu: float, epsilon: float) -> None:
    assert 0.0 <= delta_of(mu, epsilon + 1.0) <= delta_of(mu, epsilon) <= 1.0


def test_where_epsilon_is_nothing_delta_is_the_distance_of_two_normals() -> None:
    assert delta_of(1.0, 0.0) == pytest.approx(math.erf(0.5 / math.sqrt(2.0)))
    assert delta_of(0.0, 1.0) == 0.0
    assert epsilon_of(0.0, 1e-9) == 0.0


@pytest.mark.parametrize("delta", [0.0, 1.0, -1.0, math.nan])
def test_a_delta_that_is_no_chance_is_refused(delta: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1"):
        epsilon_of(1.0, delta)
