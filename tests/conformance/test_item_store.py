"""What every adapter promises as an `ItemStore`; searches are compared with plain arithmetic,
filters with `matches`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Store
from store.filters import matches
from store.memory import MemoryStore
from tests.store.adapters import ADAPTERS, LOCAL_MODE_WARNINGS, opened
from tests.store.states import DIMENSION, arbitrary_items, item, same_item
from upwell.errors import StoreError
from upwell.ports import ItemFilter
from upwell.values import CatalogueItem, Vector

pytestmark = LOCAL_MODE_WARNINGS

ANY = ItemFilter(available=None)
numbers = itertools.count()


@pytest.fixture(scope="module", params=ADAPTERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One store for the module: each test uses items of its own."""
    with opened(request.param, DIMENSION) as store:
        yield store


@pytest.fixture(scope="module", params=ADAPTERS)
def catalogue(request: pytest.FixtureRequest) -> Iterator[tuple[Store, list[CatalogueItem]]]:
    """A store that holds just these items."""
    items = random_items(300, 16)
    with opened(request.param, 16) as store:
        assert store.write_items(items) == []
        yield store, items


def random_items(size: int, dimension: int) -> list[CatalogueItem]:
    """Items that differ in every field that a filter compares, some of them without it."""
    draw = np.random.default_rng(7)
    vectors = draw.standard_normal((size, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        CatalogueItem(
            item_id=f"item-{number}",
            ts=1,
            title=f"title {number}",
            vector=vectors[number],
            revision="r",
            categories=tuple(f"c{c}" for c in range(5) if draw.random() < 0.3),
            brand=draw.choice(["acme", "Ünïcode", ""]).item() if draw.random() < 0.8 else None,
            price=float(draw.integers(0, 20)) / 2 if draw.random() < 0.8 else None,
            deleted=bool(draw.random() < 0.1),
            banned=bool(draw.random() < 0.1),
        )
        for number in range(size)
    ]


filters = st.builds(
    ItemFilter,
    available=st.sampled_from([None, True, False]),
    categories_any=st.lists(st.sampled_from(["c0", "c1", "c2", "c4", "none"]), max_size=2).map(
        tuple
    ),
    brand=st.sampled_from([None, None, "acme", "Ünïcode", "", "none"]),
    price_min=st.none() | st.sampled_from([-1.0, 0.0, 2.5, 9.5]),
    price_max=st.none() | st.sampled_from([0.0, 2.5, 7.25, 1e9]),
    exclude=st.lists(st.integers(0, 310).map("item-{}".format), max_size=40).map(tuple),
)


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


@pytest.mark.parametrize("k", [1, 7, 200, 1000])
def test_search_is_exact(catalogue: tuple[Store, list[CatalogueItem]], k: int) -> None:
    store, items = catalogue
    queries = np.random.default_rng(k).standard_normal((5, 16)).astype(np.float32)
    scores = queries @ np.stack([item.vector for item in items]).T  # (b, d) @ (d, n)
    found = store.search_items(queries, k, ANY)
    for row, hits in zip(scores, found, strict=True):
        assert len({name for name, _ in hits}) == min(k, len(items))
        np.testing.assert_allclose([score for _, score in hits], np.sort(row)[::-1][:k], atol=1e-5)
        np.testing.assert_allclose(
            [score for _, score in hits], [row[int(name[5:])] for name, _ in hits], atol=1e-5
        )


@settings(max_examples=80, deadline=None)
@given(filters)
def test_filters_agree_with_the_reference(
    catalogue: tuple[Store, list[CatalogueItem]], where: ItemFilter
) -> None:
    store, items = catalogue
    (hits,) = store.search_items(items[0].vector[None], len(items), where)
    assert {name for name, _ in hits} == {item.item_id for item in items if matches(item, where)}


def test_filter_and_k_hold_together(catalogue: tuple[Store, list[CatalogueItem]]) -> None:
    store, items = catalogue
    where = ItemFilter(categories_any=("c1",), exclude=("item-3",))
    query: Vector = items[3].vector[None]
    wanted = sorted(
        (item for item in items if matches(item, where)),
        key=lambda item: -float(item.vector @ query[0]),
    )[:10]
    assert [name for name, _ in store.search_items(query, 10, where)[0]] == [
        item.item_id for item in wanted
    ]


def test_scan_gives_every_item_once(catalogue: tuple[Store, list[CatalogueItem]]) -> None:
    store, items = catalogue
    found = {item.item_id: item for item in store.scan_items()}
    assert len(list(store.scan_items())) == len(items)
    assert all(same_item(found[item.item_id], item) for item in items)


def test_nothing_to_find(catalogue: tuple[Store, list[CatalogueItem]]) -> None:
    store, _ = catalogue
    assert store.search_items(np.zeros((0, 16), np.float32), 5, ANY) == []
    assert store.search_items(np.ones((2, 16), np.float32), 0, ANY) == [[], []]
    assert store.search_items(np.ones((2, 16), np.float32), 5, ItemFilter(brand="none")) == [[], []]
    assert [len(hits) for hits in store.search_items(np.zeros((1, 16), np.float32), 5, ANY)] == [5]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_empty_catalogue(adapter: str) -> None:
    with opened(adapter, DIMENSION) as store:
        assert list(store.scan_items()) == []
        assert store.search_items(np.ones((1, DIMENSION), np.float32), 5, ItemFilter()) == [[]]
        assert store.health().items == 0


def test_a_changed_item_is_found_where_it_went(store: Store, name: str) -> None:
    unit = np.eye(DIMENSION, dtype=np.float32)
    store.write_items([item(name, 1, vector=100 * unit[1])])
    store.write_items(
        [dataclasses.replace(item(name, 2, vector=100 * unit[2]), brand=f"only {name}")]
    )
    (hits,) = store.search_items(unit[2][None], 1, ItemFilter(brand=f"only {name}"))
    assert hits == [(name, 100.0)]
    store.write_items(
        [
            dataclasses.replace(
                item(name, 3, vector=100 * unit[2]), brand=f"only {name}", deleted=True
            )
        ]
    )
    assert store.search_items(unit[2][None], 1, ItemFilter(brand=f"only {name}")) == [[]]


def test_scan_pages(store: Store, name: str) -> None:
    wanted = {f"{name}-{number}" for number in range(1100)}
    store.write_items([item(each) for each in sorted(wanted)])
    assert wanted <= {found.item_id for found in store.scan_items()}
    assert len(list(store.scan_items())) == store.health().items


@pytest.mark.parametrize("shape", [(DIMENSION,), (1, DIMENSION + 1), (1, 1, DIMENSION)])
def test_search_vectors_of_another_shape_are_refused(store: Store, shape: tuple[int, ...]) -> None:
    with pytest.raises(StoreError, match="shape"):
        store.search_items(np.ones(shape, np.float32), 5, ANY)


@pytest.mark.parametrize(
    ("value", "k", "where"),
    [
        (np.nan, 5, ANY),
        (1.0, -1, ANY),
        (1.0, 5, ItemFilter(price_min=float("nan"))),
        (1.0, 5, ItemFilter(exclude=("",))),
    ],
)
def test_a_search_that_means_nothing_is_refused(
    store: Store, value: float, k: int, where: ItemFilter
) -> None:
    with pytest.raises(StoreError):
        store.search_items(np.full((1, DIMENSION), value, np.float32), k, where)
