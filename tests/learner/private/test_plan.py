"""A budget's plan: what its parts come to together, and when it is spent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.private.continual import stretch
from learner.private.plan import SHARES, Plan
from upwell.errors import ModelError

PLAN = Plan(epsilon=8.0, delta=1 / 610, events=64, epochs=64, first=200)


@given(st.floats(0.05, 50.0), st.floats(1e-9, 0.01), st.integers(1, 100))
def test_all_epochs_together_cost_the_budget(epsilon: float, delta: float, epochs: int) -> None:
    plan = Plan(epsilon=epsilon, delta=delta, events=10, epochs=epochs, first=100)
    _, spent = plan.spent({0: epochs})
    assert spent == pytest.approx(epsilon, rel=1e-6)
    assert plan.allows({0: epochs})
    assert not plan.allows({0: epochs + 1})


def test_what_is_spent_grows_with_each_epoch() -> None:
    spent = [PLAN.spent({0: epochs})[1] for epochs in range(1, 65)]
    assert spent == sorted(spent)
    assert spent[0] < 5.5 < spent[-1]


def test_each_share_of_the_squared_budget_is_one_stream_of_sums() -> None:
    for name, share in SHARES.items():
        assert (stretch(64) / PLAN.sigma(name)) ** 2 == pytest.approx(share * PLAN.mu**2)
    assert sum(SHARES.values()) == pytest.approx(1.0)


def test_a_generation_begun_anew_is_paid_again() -> None:
    once, twice = PLAN.spent({0: 3})[1], PLAN.spent({0: 3, 1: 3})[1]
    assert twice > once * 1.3
    assert PLAN.allows({0: 1, 1: 1})
    assert not PLAN.allows({0: 40, 1: 40})


def test_epochs_grow_and_end_where_it_is_said() -> None:
    ends = [PLAN.ends(epoch) for epoch in range(4)]
    assert ends == [200, 430, 694, 998]


def test_another_plan_is_refused_by_what_differs() -> None:
    stored = json.loads(json.dumps(PLAN.described()))
    PLAN.check(stored)
    with pytest.raises(ModelError, match=r"another budget \(epsilon 4.0\)"):
        PLAN.check(stored | {"epsilon": 4.0})
