"""Relations between items, against sets in plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.catalogue.relations import (
    MOST_RELATED,
    MOST_SHARING,
    NAMED,
    Relation,
    RelationTable,
)
from upwell.values import CatalogueItem

Edges = tuple[tuple[str, tuple[str, ...]], ...]


def item(item_id: str, relations: Edges = (), ts: int = 0) -> CatalogueItem:
    return CatalogueItem(
        item_id=item_id,
        ts=ts,
        title=item_id,
        vector=np.zeros(2, np.float32),
        revision="r",
        relations=relations,
    )


def table(*items: CatalogueItem, names: tuple[str, ...] = ()) -> RelationTable:
    found = RelationTable(names)
    found.grow(len(items))
    found.put(range(len(items)), items)
    return found


def related(relations: RelationTable, row: int) -> list[tuple[int, int]]:
    """(kind, row) of each."""
    ids, kinds, sizes = relations.state
    size = sizes[row]
    return list(zip(kinds[row, :size].tolist(), ids[row, :size].tolist(), strict=True))


def kind_between(relations: RelationTable, row: int, other: int) -> int:
    """Of the first relation of both, -1 where there is none."""
    return next((kind for kind, one in related(relations, row) if one == other), -1)


def test_a_relation_leads_both_ways_and_waits_for_the_other_item() -> None:
    found = RelationTable()
    found.grow(3)
    found.put([0], [item("tripod", (("accessory_of", ("camera", "nothing")),))])
    assert related(found, 0) == []
    found.put([2], [item("camera")])
    assert related(found, 0) == [(0, 2)]
    assert related(found, 2) == [(0, 0)]
    assert kind_between(found, 0, 2) == 0
    assert kind_between(found, 0, 1) == -1


def test_two_are_weighed_apart_by_name_and_nobody_is_related_to_itself() -> None:
    edges: Edges = (("goes_with", ("b",)), ("like", ("a", "b")), ("same_series", ("c",)))
    found = table(
        item("a", edges), item("b"), item("c"), names=("same_series", "like", "goes_with")
    )
    assert NAMED == 2
    assert related(found, 0) == [(0, 1), (2, 1), (1, 2)]
    assert kind_between(found, 1, 0) in (0, 2)


def test_a_later_announcement_holds_and_one_without_takes_all_back() -> None:
    found = table(item("a", (("like", ("b",)),)), item("b"), item("c"))
    assert related(found, 1) == [(0, 0)]
    found.put([0], [item("a", (("like", ("c",)),))])
    assert (related(found, 0), related(found, 1), related(found, 2)) == ([(0, 2)], [], [(0, 0)])
    found.put([0], [item("a")])
    assert [related(found, row) for row in range(3)] == [[], [], []]


def test_of_too_many_that_name_an_item_the_latest_count() -> None:
    names_it: Edges = (("like", ("hub",)),)
    others = [item(f"i{n:03}", names_it, ts=n) for n in range(MOST_RELATED + 6)]
    found = table(item("hub"), *others)
    rows = [row for _, row in related(found, 0)]
    assert rows == list(range(len(others), len(others) - MOST_RELATED, -1))


def test_of_too_many_that_an_item_names_some_room_is_left_for_those_that_name_it() -> None:
    many = tuple(f"i{n:03}" for n in range(MOST_RELATED + 6))
    known = [item(one) for one in many]
    found = table(item("hub", (("like", many),)), *known, item("new", (("like", ("hub",)),), ts=9))
    rows = [row for _, row in related(found, 0)]
    assert len(rows) == MOST_RELATED
    assert len(known) + 1 in rows


ids = st.sampled_from("abcdefgh")
edges_of = st.dictionaries(
    st.sampled_from(["like", "goes_with", "series"]), st.lists(ids, max_size=4, unique=True)
)
puts = st.lists(st.tuples(ids, edges_of, st.integers(0, 3)), max_size=30)


@settings(deadline=None)
@given(puts)
def test_whatever_came_before_a_table_is_as_if_all_had_come_at_once(
    said: list[tuple[str, dict[str, list[str]], int]],
) -> None:
    rows: dict[str, int] = {}
    newest: dict[str, CatalogueItem] = {}
    grown = RelationTable(("like", "series"))
    grown.grow(8)
    for item_id, edges, ts in said:
        one = item(item_id, tuple((name, tuple(to)) for name, to in sorted(edges.items())), ts)
        grown.put([rows.setdefault(item_id, len(rows))], [one])
        newest[item_id] = one
        assert isinstance(grown.state.sizes, np.ndarray)
    whole = RelationTable(("like", "series"))
    whole.grow(8)
    whole.put([rows[one] for one in newest], list(newest.values()))
    pairs = {
        frozenset((item_id, to))
        for item_id, one in newest.items()
        for _, related_to in one.relations
        for to in related_to
        if to != item_id and to in newest
    }
    for item_id, row in rows.items():
        assert related(grown, row) == related(whole, row)
        for other, other_row in rows.items():
            joined = kind_between(grown, row, other_row) >= 0
            assert joined is (frozenset((item_id, other)) in pairs)


def valued(item_id: str, *values: str, ts: int = 0, name: str = "series") -> CatalogueItem:
    return replace(item(item_id, ts=ts), values=((name, values),) if values else ())


def test_triples_add_to_what_the_item_says_itself() -> None:
    both = replace(item("a", (("like", ("b",)),)), triples=(("like", ("b", "c")), ("fits", ("d",))))
    found = table(both, item("b"), item("c"), item("d"), names=("fits",))
    assert related(found, 0) == [(0, 1), (0, 2), (1, 3)]
    assert related(found, 3) == [(1, 0)]
    found.put([0], [item("a", (("like", ("b",)),))])
    assert [related(found, row) for row in range(4)] == [[(0, 1)], [(0, 0)], [], []]


def test_items_that_share_a_value_are_related_until_one_loses_it() -> None:
    found = table(
        valued("a", "Alien"), valued("b", "Alien"), valued("c", "Alien", name="studio"), item("d")
    )
    assert [related(found, row) for row in range(4)] == [[(0, 1)], [(0, 0)], [], []]
    found.put([3], [valued("d", "Alien", ts=5)])
    assert related(found, 0) == [(0, 3), (0, 1)]
    assert found.rows_with("series", "Alien").tolist() == [0, 1, 3]
    found.put([1], [valued("b")])
    assert (related(found, 0), related(found, 1)) == ([(0, 3)], [])
    assert found.rows_with("series", "Alien").tolist() == [0, 3]
    assert found.rows_with("series", "Dune").tolist() == []


def test_a_value_that_too_many_have_relates_nobody_and_does_again_when_fewer_have_it() -> None:
    items = [valued(f"i{number}", "winter") for number in range(MOST_SHARING)]
    found = RelationTable()
    found.grow(MOST_SHARING + 2)
    found.put(range(MOST_SHARING), items)
    assert len(related(found, 0)) == MOST_SHARING - 1
    found.put([MOST_SHARING], [valued("late", "winter")])
    assert all(related(found, row) == [] for row in range(MOST_SHARING + 1))
    found.put([MOST_SHARING + 1], [valued("later", "winter")])
    assert related(found, 0) == []
    found.put([MOST_SHARING, MOST_SHARING + 1], [valued("late"), valued("later")])
    assert len(related(found, 0)) == MOST_SHARING - 1


def test_the_rarest_value_goes_first_and_what_is_named_before_it() -> None:
    a = replace(valued("a", "Alien", "Space"), relations=(("like", ("d",)),))
    found = table(
        a,
        valued("b", "Space", ts=9),
        valued("c", "Space", "Alien"),
        item("d"),
        valued("e", "Space"),
    )
    assert [row for _, row in related(found, 0)] == [3, 2, 1, 4]


def test_by_which_two_are_related() -> None:
    a = replace(valued("a", "Alien"), triples=(("sequel_of", ("b",)),))
    b, c = valued("b", "Alien"), valued("c", "Alien")
    found = table(a, b, c, item("d"), names=("sequel_of",))
    assert found.between(a, b) == found.between(b, a) == Relation("sequel_of")
    assert found.between(a, b, 1) == Relation("sequel_of")
    assert found.between(a, c) == Relation("series", "Alien")
    assert found.between(a, c, 1) is None
    assert found.between(a, item("d")) is None


names_of_values = st.lists(st.sampled_from(["x", "y", "z"]), max_size=3, unique=True)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), names_of_values, st.integers(0, 3)), max_size=20))
def test_values_relate_as_in_a_table_that_is_made_at_once(
    changes: list[tuple[int, list[str], int]],
) -> None:
    found = RelationTable()
    found.grow(6)
    newest: dict[int, CatalogueItem] = {}
    for row, values, ts in changes:
        newest[row] = valued(f"i{row}", *values, ts=ts)
        found.put([row], [newest[row]])
        _ = found.state
    fresh = RelationTable()
    fresh.grow(6)
    fresh.put(list(newest), list(newest.values()))
    for row in newest:
        assert related(found, row) == related(fresh, row)
