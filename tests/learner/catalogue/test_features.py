"""Categories, brands, prices and the order of announcement, against plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.catalogue.features import (
    CATEGORIES,
    NEWEST,
    TASTE_DECAY,
    TASTE_OF_DISLIKED,
    FeatureTable,
    add_categories,
    add_taste,
    distance,
    read_tastes,
    year_of,
)
from learner.catalogue.prices import NO_PRICE
from upwell.values import CatalogueItem

BRANDS = st.sampled_from(["acme", "brio", None])


def item(item_id: str, ts: int = 0, *categories: str) -> CatalogueItem:
    return CatalogueItem(
        item_id=item_id,
        ts=ts,
        title=item_id,
        vector=np.zeros(2, np.float32),
        revision="r",
        categories=categories,
    )


def table(*items: CatalogueItem) -> FeatureTable:
    features = FeatureTable()
    features.grow(len(items) + 1)
    features.put(range(len(items)), items)
    return features


def test_order_is_by_time_then_shorter_id_then_id() -> None:
    features = table(item("10"), item("9"), item("b", 5), item("11")).state
    assert list(features.order) == [1, 0, 3, 2]
    assert distance(features, 1, 3) == 2
    assert distance(features, 3, 1) == -2
    assert distance(features, 1, 4) == 0, "row 4 was never announced"


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 90), st.integers(0, 5)),
            min_size=1,
            max_size=80,
            unique_by=lambda one: one[0],
        )
    )
)
def test_order_does_not_depend_on_how_announcements_arrive(
    batches: list[list[tuple[int, int]]],
) -> None:
    features = FeatureTable()
    features.grow(91)
    newest: dict[int, int] = {}
    for batch in batches:
        features.put([row for row, _ in batch], [item(f"i{row}", ts) for row, ts in batch])
        newest.update(batch)
        expected = sorted(newest, key=lambda row: (newest[row], len(f"i{row}"), f"i{row}"))
        assert list(features.state.order) == expected
        assert [features.state.position[row] for row in expected] == list(range(len(expected)))


def test_likeness_is_a_cosine_of_rare_categories_with_a_fading_taste() -> None:
    items = [
        item("a", 0, "drama", "war"),
        item("b", 0, "drama"),
        item("c", 0, "war"),
        item("d", 0, "drama", "comedy"),
        item("e"),
    ]
    features = table(*items).state
    worth = {name: np.log(5 / count) for name, count in {"drama": 3, "war": 2, "comedy": 1}.items()}

    def unit(row: int) -> dict[str, float]:
        values = {name: worth[name] for name in items[row].categories}
        length = np.sqrt(sum(value**2 for value in values.values()))
        return {name: value / length for name, value in values.items()}

    taste = np.zeros(len(features.worth), np.float32)
    add_taste(features, np.array([0, 3], np.int32), np.array([True, False]), taste)
    out = np.full((2, 5), np.nan, np.float32)
    read_tastes(features, np.stack([taste, 0 * taste]), np.arange(5, dtype=np.int32), out)
    for row in range(4):
        expected = sum(
            value
            * (unit(0).get(name, 0.0) + TASTE_DECAY * TASTE_OF_DISLIKED * unit(3).get(name, 0.0))
            for name, value in unit(row).items()
        )
        assert out[0, row] == pytest.approx(expected, abs=1e-6)
    assert out[0, 4] == 0.0
    assert out[1].tolist() == [0.0] * 5


def test_categories_beyond_the_cap_are_left_out_and_replaced_ones_forgotten() -> None:
    features = table(item("a", 0, *(f"c{n}" for n in range(CATEGORIES + 3))), item("b", 0, "x"))
    assert (features.state.categories[0] >= 0).sum() == CATEGORIES
    features.put([0], [item("a", 0, "x")])
    assert (features.state.categories[0] >= 0).sum() == 1


def test_categories_add_up_at_the_length_asked_for() -> None:
    features = table(item("a", 0, "x", "y"), item("b", 0, "y"), item("c")).state
    taste = np.zeros(len(features.worth), np.float32)
    for row in range(3):
        add_categories(features, row, 2.0, taste)
    units = []
    for row in range(3):
        unit = np.zeros(len(features.worth), np.float32)
        add_categories(features, row, 1.0, unit)
        units.append(unit)
    assert [np.linalg.norm(unit) for unit in units] == pytest.approx([1.0, 1.0, 0.0])
    np.testing.assert_allclose(taste, 2.0 * sum(units), atol=1e-6)


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Solaris (1972)", 1972),
        ("2001: A Space Odyssey (1968)", 1968),
        ("1984", 1984),
        ("Hamlet, 1603", 1603),
        ("Blade Runner 2049", 2049),
        ("Terminal 2112", 0),
        ("12345", 0),
        ("A19990", 0),
        ("Model 20", 0),
        ("\u0661\u0669\u0669\u0669", 0),
        ("", 0),
    ],
)
def test_the_year_that_a_title_names(title: str, year: int) -> None:
    assert year_of(title) == year


def test_a_new_title_has_a_new_year() -> None:
    features = table(item("Solaris (1972)"), item("Solaris"))
    assert list(features.state.year[:3]) == [1972, 0, 0]
    features.put([0, 1], [item("Solaris"), item("Solaris (2002)")])
    assert list(features.state.year[:3]) == [0, 2002, 0]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 59), st.integers(0, 9), BRANDS),
            min_size=1,
            max_size=60,
            unique_by=lambda one: one[0],
        )
    )
)
def test_the_newest_of_a_brand_are_known_after_any_announcements(
    batches: list[list[tuple[int, int, str | None]]],
) -> None:
    features, plain = table(*(item(f"i{row}") for row in range(60))), dict[int, tuple[int, str]]()
    for batch in batches:
        features.put(
            [row for row, _, _ in batch],
            [replace(item(f"i{row}", ts), brand=brand) for row, ts, brand in batch],
        )
        for row, ts, brand in batch:
            plain.pop(row, None)
            if brand is not None:
                plain[row] = (ts, brand)
    state = features.state
    for row in range(60):
        assert (state.brand[row] >= 0) == (row in plain)
    for brand in {brand for _, brand in plain.values()}:
        rows = [row for row, (_, own) in plain.items() if own == brand]
        rows.sort(key=lambda row: (plain[row][0], len(f"i{row}"), f"i{row}"), reverse=True)
        codes = {int(state.brand[row]) for row in rows}
        assert len(codes) == 1
        newest = [row for row in state.newest[codes.pop()].tolist() if row >= 0]
        assert newest == rows[:NEWEST]


def test_a_price_is_known_until_it_is_taken_away() -> None:
    features = table(replace(item("a"), price=9.0), item("b"), replace(item("c"), price=0.0))
    own = features.state.prices.own
    np.testing.assert_allclose(own[:3], [np.log(10.0), NO_PRICE, 0.0], atol=1e-6)
    features.put([0], [item("a")])
    assert features.state.prices.own[0] == NO_PRICE
