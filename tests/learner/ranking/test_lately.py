"""What newcomers do, what the catalogue says, and how near an item is to where a user has been
lately: kinds, years, level of popularity, and what stands next in the listing.
"""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.features import Features, FeatureTable, add_categories, add_taste
from learner.counts.block import NEWCOMER_EVENTS
from learner.counts.popularity import COUNT, HALF_LIVES, NEWCOMERS
from learner.ranking.affinity import TASTES
from learner.ranking.lately import read_brands, read_level, read_order, read_prices, read_years
from learner.ranking.names import FIRST_FEATURE, FIRST_LATELY, FIRST_ORDER, REPEATS, SIGNALS
from learner.ranking.rank import read_features
from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, learner_of, log
from upwell.values import CatalogueItem, Example, Interaction

NOBODY = np.zeros(0, np.int32)
ZERO = np.zeros(2, np.float32)


def dated(*years: int) -> Features:
    """Items of these years, 0 for one that names none."""
    table = FeatureTable()
    table.grow(len(years))
    titles = [f"Film ({year})" if year else "Film" for year in years]
    items = [
        CatalogueItem(item_id=f"i{row}", ts=0, title=title, vector=ZERO, revision="r")
        for row, title in enumerate(titles)
    ]
    table.put(range(len(items)), items)
    return table.state


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=9),
    st.lists(st.integers(0, 50), min_size=1, max_size=9),
)
def test_the_level_is_that_of_others_events_on_the_last_items(
    had: list[int], others: list[int]
) -> None:
    counts = np.array([*had, *others], np.float64)
    lately = np.arange(len(had), dtype=np.int32)
    found = np.arange(len(had), len(counts), dtype=np.int32)
    out = np.full(len(found), 7.0, np.float32)
    read_level(counts, lately, found, out)
    level = np.mean([np.log(count) for count in had])
    np.testing.assert_allclose(out, [-abs(np.log1p(one) - level) for one in others], atol=1e-5)


def offered(*offers: tuple[float | None, str | None]) -> Features:
    """Items of these prices and brands."""
    table = FeatureTable()
    table.grow(len(offers))
    items = [
        CatalogueItem(
            item_id=f"i{n}", ts=0, title="x", vector=ZERO, revision="r", price=price, brand=brand
        )
        for n, (price, brand) in enumerate(offers)
    ]
    table.put(range(len(items)), items)
    return table.state


PRICES = st.lists(st.none() | st.floats(0.0, 1e6), min_size=1, max_size=9)


@given(PRICES, PRICES)
def test_a_price_is_near_the_mean_of_the_last_ones_and_who_has_none_is_as_the_others(
    had: list[float | None], others: list[float | None]
) -> None:
    features = offered(*((price, None) for price in (*had, *others)))
    out = np.full(len(others), 7.0, np.float32)
    lately = np.arange(len(had), dtype=np.int32)
    read_prices(features, lately, len(had) + np.arange(len(others), dtype=np.int32), out)
    known = [np.log1p(price) for price in had if price is not None]
    away = [
        None if price is None or not known else -abs(np.log1p(price) - np.mean(known))
        for price in others
    ]
    usual = np.mean([one for one in away if one is not None] or [0.0])
    expected = [usual if one is None else one for one in away]
    np.testing.assert_allclose(out, expected, atol=1e-4)


def test_a_brand_counts_as_often_as_it_was_chosen() -> None:
    features = offered(*((None, brand) for brand in ("a", "b", "a", None, "a", "c", None)))
    out = np.full(4, 7.0, np.float32)
    read_brands(features, np.array([0, 1, 2, 3], np.int32), np.array([4, 1, 5, 6], np.int32), out)
    np.testing.assert_allclose(out, [np.log(3.0), np.log(2.0), 0.0, 0.0], atol=1e-6)


def test_an_item_that_is_not_counted_yet_is_at_the_level_of_one_nobody_knows() -> None:
    out = np.zeros(1, np.float32)
    read_level(np.zeros(2), np.array([0], np.int32), np.array([1], np.int32), out)
    assert out[0] == 0.0


@given(
    st.lists(st.integers(0, 19), max_size=6),
    st.lists(st.integers(8, 19), min_size=1, max_size=9),
)
def test_the_order_is_told_from_the_nearest_of_the_last_items(
    lately: list[int], found: list[int]
) -> None:
    features, never = dated(*[0] * 20), 7
    position = features.position.copy()
    position[never] = -1
    features = features._replace(position=position)
    out = np.full(len(found), 7.0, np.float32)
    read_order(features, np.array(lately, np.int32), np.array(found, np.int32), out)
    known = [position[row] for row in lately if position[row] >= 0]
    for own, said in zip(found, out, strict=True):
        away = min((abs(int(position[own]) - int(one)) for one in known), default=0)
        assert said == pytest.approx(-np.log1p(away))


def test_who_had_nothing_has_no_level_and_no_year() -> None:
    out = np.full(2, 7.0, np.float32)
    read_level(np.arange(2.0), NOBODY, np.array([0, 1], np.int32), out)
    assert list(out) == [0.0, 0.0]
    out[:] = 7.0
    read_years(dated(1990, 2000), NOBODY, np.array([0, 1], np.int32), out)
    assert list(out) == [0.0, 0.0]


def test_years_are_told_from_the_mean_and_who_names_none_has_the_mean_of_the_others() -> None:
    features = dated(1990, 2000, 0, 1995, 2005, 0)
    out = np.zeros(3, np.float32)
    read_years(features, np.array([0, 1, 2], np.int32), np.array([3, 4, 5], np.int32), out)
    assert out == pytest.approx([0.0, -np.log(11), -np.log(11) / 2])


@pytest.mark.parametrize(
    ("lately", "found"), [([0], [1, 2]), ([1], [0, 0])], ids=["no last", "no candidate"]
)
def test_without_a_year_on_one_side_nothing_is_said(lately: list[int], found: list[int]) -> None:
    out = np.full(2, 7.0, np.float32)
    read_years(dated(0, 1990, 2000), np.array(lately, np.int32), np.array(found, np.int32), out)
    assert list(out) == [0.0, 0.0]


WALKERS, STEPS = 60, 6


def walk() -> list[Example]:
    """Each user steps through a part of the listing that nobody else comes to; their events are
    mixed.
    """
    examples: list[Example] = []
    for step in range(STEPS):
        for user in range(WALKERS):
            path = [f"i{STEPS * user + place}" for place in range(step + 1)]
            events = [
                Interaction(f"{user}-{place}", place, item, "review", 5.0)
                for place, item in enumerate(path)
            ]
            examples.append(
                Example(
                    source="reviews-0",
                    offset=len(examples),
                    user=f"u{user}",
                    event=events[-1],
                    history=tuple(events[:-1]),
                    intent=None,
                    user_events=step,
                    tested=True,
                    had=tuple(path[:-1]),
                )
            )
    return examples


def test_who_walks_through_the_listing_is_followed_to_items_that_nobody_met() -> None:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.add_items(catalogue(WALKERS * STEPS))
    examples = walk()
    learner.learn(examples[: 3 * WALKERS])
    learner.figures.reset()
    learner.learn(examples[3 * WALKERS :])
    assert learner.figures.ndcg10()["cold_item"] > 0.6


@pytest.mark.parametrize("column", range(NEWCOMERS, len(HALF_LIVES)))
def test_only_newcomers_are_counted_as_such(column: int) -> None:
    examples, _ = log(600)
    theirs = [example for example in examples if example.user_events <= NEWCOMER_EVENTS]
    assert 0 < len(theirs) < len(examples)
    expected: dict[str | None, float] = defaultdict(float)
    for age, example in enumerate(reversed(theirs)):
        if example.event.item_id not in example.had:
            expected[example.event.item_id] += 2.0 ** (-age / HALF_LIVES[column])
    learner = learner_of(examples)
    arrays, ids = learner.arrays(), learner.meta()["items"]
    found = arrays["counts.popularity.values"][column] / arrays["counts.popularity.scale"][column]
    np.testing.assert_allclose(found, [expected[item] for item in ids], atol=1e-9)


def test_the_catalogue_is_read_from_the_newest_item_of_the_history() -> None:
    table = FeatureTable()
    table.grow(6)
    table.put(range(6), catalogue(6))  # even, odd, even, ...
    history, liked = np.array([3, 0], np.int32), np.ones(2, np.bool_)
    taste = np.zeros((TASTES, len(table.state.worth)), np.float32)
    add_taste(table.state, history, liked, taste[0])
    add_categories(table.state, 3, 1.0, taste[1])
    add_categories(table.state, 0, 1.0, taste[2])
    raw = np.zeros((len(SIGNALS), 3), np.float32)
    counts = np.zeros((len(HALF_LIVES) + 9, 6))
    counts[COUNT] = [3.0, 0.0, 0.0, 1.0, 2.0, 0.0]
    taken = np.zeros(len(history), np.int32)
    block = SimpleNamespace(starts=np.array([0, 2]), history=history, taken=taken)
    plain = cast(Any, read_features).py_func
    plain(
        SimpleNamespace(features=table.state, popularity=SimpleNamespace(values=counts)),
        SimpleNamespace(taste=taste),
        block,
        0,
        np.array([1, 4, 5], np.int32),
        raw,
    )
    likeness, nearness, side = raw[[FIRST_FEATURE, FIRST_ORDER, FIRST_ORDER + 1]]
    assert likeness == pytest.approx([1.0, 0.95, 1.0])  # odd as the newest, even as the one before
    assert nearness == pytest.approx([-np.log(3), -np.log(2), -np.log(3)])
    assert list(side) == [-1.0, 1.0, 1.0]
    few, many, years, *levels, nearest_5, nearest_30, price, brand = raw[FIRST_LATELY:REPEATS]
    assert list(price) == list(brand) == [0.0, 0.0, 0.0], "no item has one"
    assert not raw[REPEATS:FIRST_ORDER].any(), "repeats do not count"
    assert few == pytest.approx([1.0, 0.0, 1.0])
    assert many == pytest.approx([0.0, 1.0, 0.0])
    assert list(years) == [0.0, 0.0, 0.0], "no title names one"
    for one in (nearest_5, nearest_30):  # of items 3 and 0
        assert one == pytest.approx([-np.log(2), -np.log(2), -np.log(3)])
    level = (np.log(1) + np.log(3)) / 2  # the user's own events do not count
    for one in levels:
        assert one == pytest.approx([-level, -abs(np.log(3) - level), -level])
