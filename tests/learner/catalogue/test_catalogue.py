"""Ids and rows against a dictionary, and what an announcement changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.catalogue import MOST_UNANNOUNCED, Catalogue
from tests.learner.training.small import DIMENSION, catalogue
from upwell.errors import ModelError
from upwell.values import CatalogueItem

ITEMS = {item.item_id: item for item in catalogue(12)}
IDS = st.sampled_from(sorted(ITEMS))
STEPS = st.lists(st.tuples(st.sampled_from(["ensure", "announce", "release"]), IDS), max_size=40)


def made(*items: CatalogueItem) -> Catalogue:
    found = Catalogue(DIMENSION)
    found.announce(items)
    return found


@given(STEPS)
def test_an_id_keeps_its_row_until_it_is_released_and_no_two_have_one(
    steps: list[tuple[str, str]],
) -> None:
    found, rows, announced = Catalogue(DIMENSION), dict[str, int](), set[str]()
    for step, item_id in steps:
        if step == "announce":
            found.announce([ITEMS[item_id]])
            announced.add(item_id)
        elif step == "ensure":
            assert found.ensure(item_id) == rows.get(item_id, found.row(item_id))
        elif item_id in rows:
            found.release([rows[item_id]])
            if item_id not in announced:
                del rows[item_id]
                continue
        if (row := found.row(item_id)) is not None:
            assert rows.setdefault(item_id, row) == row
        assert len(found) <= len(ITEMS)
        assert found.unannounced == len(rows.keys() - announced)
    assert {item_id: found.row(item_id) for item_id in ITEMS} == {
        item_id: rows.get(item_id) for item_id in ITEMS
    }
    assert [found.ids[row] for row in rows.values()] == list(rows)
    assert np.flatnonzero(found.allowed).tolist() == sorted(rows[one] for one in announced)


@given(STEPS)
def test_one_that_takes_over_the_ids_has_the_same_rows_free_and_taken(
    steps: list[tuple[str, str]],
) -> None:
    one, other = Catalogue(DIMENSION), Catalogue(DIMENSION)
    for step, item_id in steps:
        if step == "release":
            one.release(one.rows([item_id]))
        else:
            one.ensure(item_id)
    other.restore(one.ids)
    assert other.ids == one.ids
    assert other.rows(ITEMS) == one.rows(ITEMS)
    size = len(other)
    for number in range(one.ids.count("")):
        other.ensure(f"new{number}")
    assert len(other) == size  # the free ones came first
    assert sorted(other.take_renamed()) == [row for row, name in enumerate(one.ids) if not name]
    assert other.take_renamed() == []


def test_a_vector_is_new_where_the_text_is_and_of_an_id_given_twice_the_last_holds() -> None:
    first, second, *_ = ITEMS.values()
    found = made(first, second)
    other = second.vector
    dearer = replace(first, price=9.0, vector=other)
    renamed = replace(second, title="another", vector=first.vector)
    assert found.announce([second, dearer, renamed]).tolist() == [1]
    held = [found.items[row] for row in range(2)]
    assert [one.title for one in held if one is not None] == [first.title, "another"]
    assert [one.price for one in held if one is not None] == [9.0, None]
    np.testing.assert_array_equal(found.graph.vectors[:2], [first.vector, first.vector])


def test_a_vector_of_another_dimension_is_refused_and_nothing_is_announced() -> None:
    good, bad, *_ = ITEMS.values()
    found = Catalogue(DIMENSION)
    with pytest.raises(ModelError, match=r"'i1'.*encode the catalogue anew"):
        found.announce([good, replace(bad, vector=bad.vector[1:])])
    assert len(found) == 0


def test_a_withdrawn_item_stands_in_no_list_and_is_called_by_its_category() -> None:
    item, *_ = ITEMS.values()
    found = made(item)
    assert (found.in_category("even")[0], found.named(0)) == (True, item.title)
    found.announce([replace(item, banned=True)])
    assert not found.allowed.any()
    assert not found.in_category("even").any()
    assert (found.named(0), found.title(0)) == ("even", item.title)
    found.announce([replace(item, categories=("odd",))])
    assert [found.in_category(one)[0] for one in ("even", "odd", "none")] == [False, True, False]


@given(st.lists(st.tuples(IDS, st.booleans(), st.sampled_from([-1.0, 0.0, 2.0])), max_size=20))
def test_promoted_are_those_pinned_or_boosted_up_at_last_in_order_of_id(
    changes: list[tuple[str, bool, float]],
) -> None:
    found, last = Catalogue(DIMENSION), dict[str, tuple[bool, float]]()
    for item_id, pinned, boost in changes:
        found.announce([replace(ITEMS[item_id], pinned=pinned, boost=boost)])
        last[item_id] = (pinned, boost)
    expected = sorted(name for name, (pinned, boost) in last.items() if pinned or boost > 0.0)
    assert [found.ids[row] for row in found.promoted] == expected
    for item_id, (pinned, boost) in last.items():
        row = found.ensure(item_id)
        assert (found.pinned[row], found.boost[row]) == (pinned, boost)


def test_too_many_unannounced_give_way_by_their_last_event_and_not_before() -> None:
    found = made(*ITEMS.values())
    rows = [found.ensure(f"random-{number}") for number in range(MOST_UNANNOUNCED)]
    last = np.zeros(found.capacity)
    last[rows] = np.arange(len(rows))[::-1]
    assert found.surplus(last).tolist() == []
    rows.append(found.ensure("one more"))
    last[rows[-1]] = len(rows)
    gone = found.surplus(last).tolist()
    assert gone == rows[-2 : -2 - len(gone) : -1]
    assert 0 < len(gone) < MOST_UNANNOUNCED // 4
