"""Prices as they count, against plain Python, after any announcements."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.catalogue.features import FeatureTable
from learner.catalogue.prices import ENOUGH, NO_PRICE, price_of
from upwell.values import CatalogueItem

ROWS = 12
CATEGORIES = st.lists(st.sampled_from("abc"), max_size=3, unique=True)
PRICE = st.none() | st.sampled_from([0.0, 1.0, 5.0, 5.0, 9.0]) | st.floats(0.0, 1e9)
ANNOUNCEMENTS = st.lists(
    st.dictionaries(st.integers(0, ROWS - 1), st.tuples(PRICE, CATEGORIES), max_size=ROWS),
    max_size=6,
)
Offer = tuple[float | None, list[str]]


def item(row: int, offer: Offer) -> CatalogueItem:
    price, categories = offer
    return CatalogueItem(
        item_id=f"i{row}",
        ts=0,
        title="x",
        vector=np.zeros(2, np.float32),
        revision="r",
        categories=tuple(categories),
        price=price,
    )


def announced(*batches: dict[int, Offer]) -> FeatureTable:
    table = FeatureTable()
    table.grow(ROWS)
    for batch in batches:
        table.put(list(batch), [item(row, offer) for row, offer in batch.items()])
    return table


def counted(table: FeatureTable, row: int) -> float:
    state = table.state
    return float(price_of(state.prices, state.categories, row))


@settings(max_examples=200)
@given(ANNOUNCEMENTS)
def test_who_has_no_price_has_the_median_of_the_first_category_where_enough_have_one(
    batches: list[dict[int, Offer]],
) -> None:
    table = announced(*batches)
    offers: dict[int, Offer] = {}
    for batch in batches:
        offers |= batch
    logs = {
        row: float(np.float32(np.log1p(price)))
        for row, (price, _) in offers.items()
        if price is not None
    }
    for row, (price, categories) in offers.items():
        expected = NO_PRICE if price is None else logs[row]
        for one in categories if price is None else ():
            known = [logs[other] for other in logs if one in offers[other][1]]
            if len(known) >= ENOUGH:
                expected = median(known)
                break
        assert abs(counted(table, row) - expected) < 1e-5


@given(ANNOUNCEMENTS)
def test_in_one_announcement_or_in_many_is_the_same(batches: list[dict[int, Offer]]) -> None:
    offers: dict[int, Offer] = {}
    for batch in batches:
        offers |= batch
    for batch in batches:  # codes of categories are by first sight; what counts is not
        offers = {row: offers[row] for row in (*batch, *offers)}
    one, many = announced(offers), announced(*batches)
    for row in offers:
        assert counted(one, row) == counted(many, row)


def test_one_in_a_hundred_at_either_end_counts_as_the_next() -> None:
    table = FeatureTable()
    table.grow(200)
    offers: list[Offer] = [(float(10 + row), []) for row in range(198)]
    offers += [(1e9, []), (0.0, [])]
    table.put(range(200), [item(row, offer) for row, offer in enumerate(offers)])
    assert counted(table, 198) == counted(table, 196) == np.float32(np.log1p(206.0))
    assert counted(table, 199) == counted(table, 1) == np.float32(np.log1p(11.0))
    assert counted(table, 100) == np.float32(np.log1p(110.0))
    assert table.count_prices() == {"own": 200, "bounded": 4, "typical": 0}


def test_those_that_have_their_categorys_are_counted() -> None:
    priced: dict[int, Offer] = {row: (4.0, ["a"]) for row in range(ENOUGH)}
    table = announced({**priced, 6: (None, ["b", "a"]), 7: (None, ["b"])})
    assert table.count_prices() == {"own": ENOUGH, "bounded": 0, "typical": 1}
    assert counted(table, 6) == np.float32(np.log1p(4.0))
    table.put([0], [replace(item(0, priced[0]), price=None)])
    assert counted(table, 6) == NO_PRICE, "one too few"
    assert table.count_prices() == {"own": ENOUGH - 1, "bounded": 0, "typical": 0}
