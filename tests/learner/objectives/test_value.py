"""Rates smoothed towards their kind, and what they add to a score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.catalogue.features import FeatureTable
from learner.objectives.outcomes import BOUGHT, LEFT, OPENED, RETURNED, STAYED
from learner.objectives.value import (
    LEAST_STRENGTH,
    MOST_LIFT,
    MOST_STRENGTH,
    Groups,
    groups_of,
    lifts,
    smoothed,
    strength,
    value_terms,
)
from upwell.settings import objective_weights
from upwell.values import CatalogueItem


def groups(*of: list[int]) -> Groups:
    """Of each item the numbers."""
    items = np.array([row for row, some in enumerate(of) for _ in some], np.intp)
    owners, starts = np.unique(items, return_index=True)
    codes = np.array([one for some in of for one in some], np.int64)
    return Groups(items, codes, owners, starts, 1 + int(codes.max(initial=-1)))


def array(*numbers: float) -> NDArray[np.float64]:
    return np.array(numbers, np.float64)


@pytest.mark.parametrize("known", [5.0, 20.0, 80.0])
def test_the_strength_of_drawn_rates_is_found(known: float) -> None:
    rng, items = np.random.default_rng(3), 4_000
    rates = rng.beta(0.2 * known, 0.8 * known, items)
    trials = rng.integers(1, 120, items).astype(np.float64)
    hits = rng.binomial(trials.astype(np.int64), rates).astype(np.float64)
    found = strength(trials, hits, np.full(items, 0.2))
    assert found == pytest.approx(known, rel=0.15)


def test_rates_that_differ_by_chance_alone_are_taken_as_one() -> None:
    rng, items = np.random.default_rng(3), 500
    trials = np.full(items, 30.0)
    hits = rng.binomial(30, 0.2, items).astype(np.float64)
    assert strength(trials, hits, np.full(items, 0.2)) > 300.0
    assert strength(trials, np.full(items, 6.0), np.full(items, 0.2)) == MOST_STRENGTH
    assert strength(array(1, 0), array(1, 0), array(0.5, 0.5)) == MOST_STRENGTH
    assert strength(array(9, 9), array(9, 0), array(0.5, 0.5)) == LEAST_STRENGTH


def test_a_rate_lies_between_what_was_counted_and_its_prior() -> None:
    found = smoothed(array(100, 4, 0), array(50, 2, 0), array(0.1, 0.1, 0.1))
    assert 0.1 == found[2] < found[1] < found[0] < 0.5


def test_a_new_item_has_the_rate_of_its_kind() -> None:
    trials, hits = array(400, 400, 0, 0), array(200, 20, 0, 0)
    found = lifts(trials, hits, groups([0], [1], [0], []))
    assert found[0] > found[2] > 1.0 > found[1]
    assert found[3] == pytest.approx(1.0)


def test_before_anything_followed_all_are_as_usual() -> None:
    assert lifts(array(5, 0, 9), array(0, 0, 0), groups()).tolist() == [1.0, 1.0, 1.0]
    assert lifts(array(0, 0, 0), array(0, 0, 0), groups()).tolist() == [1.0, 1.0, 1.0]


@given(
    st.lists(
        st.tuples(st.floats(0, 800), st.floats(0, 900), st.integers(-1, 3)), min_size=1, max_size=30
    )
)
def test_a_lift_is_finite_and_bounded(counted: list[tuple[float, float, int]]) -> None:
    trials, hits = (array(*(one[place] for one in counted)) for place in range(2))
    found = lifts(trials, hits, groups(*([one[2]] if one[2] >= 0 else [] for one in counted)))
    assert ((found >= 1.0 / MOST_LIFT) & (found <= MOST_LIFT)).all()


def table(*categories: tuple[str, ...], brands: tuple[str | None, ...] = ()) -> FeatureTable:
    features = FeatureTable()
    features.grow(len(categories))
    items = [
        CatalogueItem(
            item_id=f"i{row}",
            ts=row,
            title="t",
            vector=np.zeros(2, np.float32),
            revision="r",
            categories=names,
            brand=brands[row] if brands else None,
        )
        for row, names in enumerate(categories)
    ]
    features.put(list(range(len(items))), items)
    return features


def sums(**columns: list[float]) -> NDArray[np.float64]:
    names = {"opened": OPENED, "bought": BOUGHT, "left": LEFT, "stayed": STAYED, "back": RETURNED}
    found = np.zeros((len(next(iter(columns.values()))), 6))
    for name, values in columns.items():
        found[:, names[name]] = values
    return found


def test_the_parts_sum_to_the_logarithm_of_the_value() -> None:
    counted = sums(opened=[500, 500], bought=[200, 5], back=[100, 300])
    weights = objective_weights("click=1, purchase=2, return=1")
    assert weights is not None
    found = value_terms(weights, counted, groups())
    assert found.keys() == {"purchase", "return"}
    bought = lifts(counted[:, OPENED], counted[:, BOUGHT], groups())
    back = lifts(counted[:, OPENED], counted[:, RETURNED], groups())
    value = np.log((1.0 + 2.0 * bought + back) / 4.0)
    np.testing.assert_allclose(found["purchase"] + found["return"], value, rtol=1e-12)
    assert found["purchase"][0] > 0.0 > found["purchase"][1]
    assert found["return"][1] > 0.0 > found["return"][0]


def test_where_parts_cancel_each_is_told_as_it_is() -> None:
    counted = sums(opened=[10, 10], bought=[5, 5], left=[10, 10], stayed=[5, 5])
    weights = objective_weights("purchase=1,dwell=1")
    assert weights is not None
    found = value_terms(weights, counted, groups())
    assert [part.tolist() for part in found.values()] == [[0.0, 0.0], [0.0, 0.0]]


def test_the_click_s_weight_holds_the_others_down() -> None:
    counted = sums(opened=[500, 500], bought=[200, 5])
    terms = []
    for text in ("click=0,purchase=1", "purchase=1", "click=9,purchase=1"):
        weights = objective_weights(text)
        assert weights is not None
        terms.append(value_terms(weights, counted, groups())["purchase"])
    assert terms[0][0] > terms[1][0] > terms[2][0] > 0.0
    lift = lifts(counted[:, OPENED], counted[:, BOUGHT], groups())
    assert terms[0][0] == pytest.approx(math.log(lift[0]))


def test_a_brand_is_a_kind_of_its_own() -> None:
    counted = sums(opened=[400, 400, 0, 0], bought=[200, 20, 0, 0])
    features = table(("a",), ("a",), ("a",), ("a",), brands=("x", "y", "x", "y"))
    weights = objective_weights("purchase=1")
    assert weights is not None
    found = value_terms(weights, counted, groups_of(features.state, 4))["purchase"]
    assert found[2] > 0.0 > found[3]


def test_an_item_s_kinds_are_its_categories_and_its_brand() -> None:
    features = table(("a", "b"), (), ("b",), brands=("x", None, None))
    found = groups_of(features.state, 3)
    pairs = list(zip(found.items.tolist(), found.of.tolist(), strict=True))
    a, b = (code for row, code in pairs[:2])
    assert pairs == [(0, a), (0, b), (0, found.kinds - 1), (2, b)]
    assert (found.owners.tolist(), found.starts.tolist()) == ([0, 2], [0, 3])
    trials, hits = array(0, 0, 900), array(0, 0, 450)
    other = lifts(array(900, *trials), array(90, *hits), groups([], [0, 1], [], [1]))
    assert other[1] > 1.0
    assert other[2] == pytest.approx(1.0)
