"""How near an item is to where a user has been lately, against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.features import Features, FeatureTable
from learner.ranking.lately import read_level, read_years
from upwell.values import CatalogueItem

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


def test_an_item_that_is_not_counted_yet_is_at_the_level_of_one_nobody_knows() -> None:
    out = np.zeros(1, np.float32)
    read_level(np.zeros(2), np.array([0], np.int32), np.array([1], np.int32), out)
    assert out[0] == 0.0


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
