"""What a filter means, by example; the adapters are compared with this in the conformance suite."""

from __future__ import annotations

import dataclasses

import pytest

from store.filters import matches
from tests.store.states import item
from upwell.ports import ItemFilter

SHOE = dataclasses.replace(item("shoe"), categories=("shoes", "sale"), brand="acme", price=10.0)


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        (ItemFilter(), True),
        (ItemFilter(available=False), False),
        (ItemFilter(categories_any=("hats", "sale")), True),
        (ItemFilter(categories_any=("hats",)), False),
        (ItemFilter(brand="acme"), True),
        (ItemFilter(brand=""), False),
        (ItemFilter(price_min=10.0, price_max=10.0), True),
        (ItemFilter(price_min=10.5), False),
        (ItemFilter(price_max=9.5), False),
        (ItemFilter(exclude=("hat", "shoe")), False),
        (ItemFilter(brand="acme", categories_any=("hats",)), False),
    ],
)
def test_conditions(where: ItemFilter, holds: bool) -> None:
    assert matches(SHOE, where) is holds


def test_without_a_price_outside_every_range() -> None:
    priceless = dataclasses.replace(SHOE, price=None)
    assert matches(priceless, ItemFilter())
    assert not matches(priceless, ItemFilter(price_min=0.0))
    assert not matches(priceless, ItemFilter(price_max=1e9))


@pytest.mark.parametrize("change", [{"deleted": True}, {"banned": True}])
def test_deleted_and_banned_are_unavailable(change: dict[str, bool]) -> None:
    gone = dataclasses.replace(SHOE, **change)  # type: ignore[arg-type]
    assert not matches(gone, ItemFilter())
    assert matches(gone, ItemFilter(available=False))
    assert matches(gone, ItemFilter(available=None))
