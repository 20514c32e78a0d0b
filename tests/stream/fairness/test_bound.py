"""The term of a bound against a world that answers to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.fairness.bound import MOST, Held
from stream.fairness.exposure import discounts
from upwell.settings import Bound

TENTH = Held.of(Bound("popularity", "tail", 0.1))
shares = st.floats(0.0, 1.0)


@given(st.floats(0.01, 0.99), st.lists(st.floats(0.0, 0.5), max_size=300))
def test_while_the_bound_is_met_the_term_is_zero(least: float, above: list[float]) -> None:
    held = Held.of(Bound("popularity", "tail", least))
    for more in above:
        held = held.after(min(least + more, 1.0) * 4.5, 4.5)
        assert held.term == 0.0


@given(st.lists(shares, max_size=300))
def test_the_term_is_bounded_and_zero_only_above_the_bound(lists: list[float]) -> None:
    held = TENTH
    for share in lists:
        held = held.after(share, 1.0)
        assert 0.0 <= held.term <= MOST
        assert 0.0 <= held.share <= 1.0
        if held.shortfall > 0.0:
            assert held.term > 0.0


def test_a_group_that_gets_nothing_reaches_the_most_and_comes_back_from_it() -> None:
    held = TENTH
    for _ in range(3_000):
        held = held.after(0.0, 4.5)
    assert held.term == MOST
    for _ in range(3_000):
        held = held.after(4.5, 4.5)
    assert held.term == 0.0


@pytest.mark.parametrize("gap", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("least", [0.05, 0.2, 0.4])
def test_it_holds_the_bound_in_a_world_where_it_can_be_held(gap: float, least: float) -> None:
    """Lists of ten from 90 items and 30 of the group, whose scores are lower by a gap."""
    random = np.random.default_rng(5)
    held, weights, told, terms = Held.of(Bound("category", "x", least)), discounts(10), [], []
    member = np.arange(120) >= 90
    for _ in range(4_000):
        scores = random.normal(size=120) - gap * member + held.term * member
        first = member[np.argsort(-scores)[:10]]
        held = held.after(float(weights @ first), float(weights.sum()))
        told.append(float(weights @ first / weights.sum()))
        terms.append(held.term)
    assert np.mean(told[2_000:]) >= least - 0.01
    unheld = [0.0] * len(terms)
    if terms[2_000:] != unheld[2_000:]:  # then it gives no more than it must
        assert np.mean(told[2_000:]) <= least + 0.03
    assert np.std(terms[2_000:]) < 0.5


def test_a_list_by_score_and_term_has_the_best_score_of_all_with_its_exposure() -> None:
    """What the header says, by trying all lists of three of six items."""
    from itertools import permutations

    random = np.random.default_rng(3)
    for _ in range(20):
        scores, member, term = random.normal(size=6), np.arange(6) >= 4, random.uniform(0, 2)
        weights = discounts(3)
        chosen = np.argsort(-(scores + term * member))[:3]
        exposed, value = weights @ member[chosen], weights @ scores[chosen]
        for other in permutations(range(6), 3):
            rows = np.array(other)
            if weights @ member[rows] >= exposed - 1e-12:
                assert weights @ scores[rows] <= value + 1e-9
    assert math.isclose(discounts(3)[0], 1.0)
