"""What every adapter promises as an `ItemStore`."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Store
from store.memory import MemoryStore
from tests.store.adapters import ADAPTERS, LOCAL_MODE_WARNINGS, opened
from tests.store.states import DIMENSION, arbitrary_items, item, same_item
from upwell.errors import StoreError
from upwell.values import CatalogueItem

pytestmark = LOCAL_MODE_WARNINGS

numbers = itertools.count()


@pytest.fixture(scope="module", params=ADAPTERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One store for the module: each test uses items of its own."""
    with opened(request.param, DIMENSION) as store:
        yield store


@pytest.fixture
def name() -> str:
    return f"item-{next(numbers)}"


def test_unknown_item_is_none(store: Store, name: str) -> None:
    assert store.read_items([name]) == [None]
    assert store.read_items([]) == []
    assert store.write_items([]) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(arbitrary_items, min_size=1, max_size=4, unique_by=lambda item: item.item_id))
def test_any_item_comes_back(store: Store, items: list[CatalogueItem]) -> None:
    run = next(numbers)
    items = [dataclasses.replace(item, item_id=f"{item.item_id}-{run}") for item in items]
    assert store.write_items(items) == []
    found = store.read_items([item.item_id for item in reversed(items)])
    assert all(same_item(a, b) for a, b in zip(found, reversed(items), strict=True))


def test_an_older_item_is_refused_an_equal_one_replaces(store: Store, name: str) -> None:
    store.write_items([item(name, 5)])
    assert store.write_items([item(name, 4, title="older"), item(f"{name}-b", 1)]) == [name]
    assert same_item(store.read_items([name])[0], item(name, 5))
    assert store.write_items([item(name, 5, title="again")]) == []
    assert same_item(store.read_items([name])[0], item(name, 5, title="again"))
    assert store.read_items([f"{name}-b"]) != [None]


def test_in_a_batch_the_highest_sequence_stands_of_equals_the_last(store: Store, name: str) -> None:
    batch = [
        item(name, 1),
        item(name, 2, title="first"),
        item(name, 2, title="last"),
        item(name, 0),
    ]
    assert store.write_items(batch) == []
    assert same_item(store.read_items([name])[0], batch[2])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=4), max_size=6))
def test_any_writes_end_as_in_the_reference(
    store: Store, batches: list[list[tuple[int, int]]]
) -> None:
    reference = MemoryStore(DIMENSION)
    run = next(numbers)
    names = [f"law-{run}-{number}" for number in range(3)]
    marks = itertools.count()
    for batch in batches:
        items = [
            item(names[number], sequence, title=str(next(marks))) for number, sequence in batch
        ]
        assert store.write_items(items) == reference.write_items(items)
    assert all(
        same_item(a, b)
        for a, b in zip(store.read_items(names), reference.read_items(names), strict=True)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"vector": np.ones(3, np.float32)},
        {"vector": np.full(DIMENSION, np.nan, np.float32)},
        {"item_id": ""},
        {"item_id": "x" * 257},
        {"price": float("nan")},
        {"boost": float("inf")},
        {"sequence": -1},
        {"sequence": 2**53},
        {"title": "lone \ud800"},
    ],
)
def test_an_invalid_item_leaves_nothing_of_its_batch(
    store: Store, name: str, change: dict[str, object]
) -> None:
    bad = dataclasses.replace(item("bad"), **change)  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        store.write_items([item(name), bad])
    assert store.read_items([name]) == [None]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_empty_catalogue(adapter: str) -> None:
    with opened(adapter, DIMENSION) as store:
        assert store.health().items == 0


def test_many_items_come_back_and_are_counted(store: Store, name: str) -> None:
    before = store.health().items
    names = [f"{name}-{number}" for number in range(1_100)]
    assert store.write_items([item(each) for each in names]) == []
    assert store.health().items == before + len(names)
    found = store.read_items(names)
    assert [one and one.item_id for one in found] == names
