"""Triples through the items' chain: added to an item's own relations, kept for who is announced
later, the same whatever comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.memory import MemoryStore
from stream.chain.catalogue import changed
from stream.chain.effects import ItemEffects
from stream.chain.items import ItemPipeline
from stream.chain.records import Record
from tests.stream.chain.chain import ENCODER, NOW_MS, NotingEncoder, record
from upwell.events import Item, Knowledge, KnowledgeKind, Topic
from upwell.knowledge.records import MOST_OBJECTS, MOST_RELATIONS
from upwell.values import CatalogueItem

T0 = NOW_MS - 1_000


class Items:
    """An item chain over a memory store."""

    def __init__(self, capacity: int | None = None) -> None:
        self.store = MemoryStore(ENCODER.dimension)
        self.encoder = NotingEncoder(ENCODER.dimension)
        self.pipeline = ItemPipeline(self.encoder, self.store, capacity)

    def run(self, *records: Record) -> ItemEffects:
        return self.pipeline.run(records, NOW_MS)

    def stored(self, item_id: str = "i") -> CatalogueItem:
        [found] = self.store.read_items([item_id])
        assert found is not None
        return found


def item(item_id: str = "i", **more: object) -> Record:
    return record(Topic.ITEMS, 1, {"item_id": item_id, "title": "T", **more})


def triple(item_id: str = "i", relation: str = "series", offset: int = 2, **more: object) -> Record:
    value = {"kind": "triple", "item_id": item_id, "relation": relation, "ts": T0, **more}
    return record(Topic.KNOWLEDGE, offset, value)


def test_objects_and_values_stand_beside_what_the_item_says_itself() -> None:
    chain = Items()
    chain.run(item(relations={"like": ["j"]}))
    [told] = chain.run(
        triple(value="Alien"), triple(relation="like", object="k"), triple(value="Öl")
    ).items
    assert told == chain.stored()
    assert told.relations == (("like", ("j",)),)
    assert told.triples == (("like", ("k",)),)
    assert told.values == (("series", ("Alien", "Öl")),)
    chain.run(item(relations=None))
    assert (chain.stored().relations, chain.stored().triples) == ((), (("like", ("k",)),))
    assert len(chain.encoder.calls) == 1, "what is known of an item is none of its words"


def test_one_is_taken_back_and_one_that_nobody_told_changes_nothing() -> None:
    chain = Items()
    chain.run(item(), triple(value="Alien"), triple(value="Dune"))
    chain.run(triple(value="Alien", deleted=True), triple(object="Dune", deleted=True))
    assert chain.stored().values == (("series", ("Dune",)),)
    chain.run(triple(value="Dune", deleted=True))
    assert (chain.stored().values, chain.stored().triples) == ((), ())


def test_what_is_told_before_the_announcement_waits_for_it() -> None:
    chain = Items()
    early = chain.run(triple(value="Alien"), triple(relation="like", object="j"))
    assert (early.items, early.dead_letters) == ((), ())
    assert chain.stored().waiting
    [letter] = chain.run(
        record(Topic.CONTROLS, 4, {"kind": "ban_item", "item_id": "i", "by": "o", "why": "w"})
    ).dead_letters
    assert letter.reason == "unknown_item"
    [untitled] = chain.run(record(Topic.ITEMS, 5, {"item_id": "i", "price": 2})).dead_letters
    assert untitled.reason == "missing_field"
    [made] = chain.run(item(), triple(value="Dune")).items
    assert (made.waiting, made.title) == (False, "T")
    assert made.values == (("series", ("Alien", "Dune")),)
    assert made.triples == (("like", ("j",)),)
    assert made == chain.stored()


def test_what_nobody_announced_takes_a_place_in_the_catalogue() -> None:
    chain = Items(capacity=2)
    full = chain.run(
        triple("a", value="x"), triple("b", value="x"), triple("c", value="x", offset=9)
    )
    assert [(one.reason, one.offset) for one in full.dead_letters] == [("catalogue_full", 9)]
    assert "UPWELL_CATALOGUE_ITEMS" in full.dead_letters[0].detail
    later = chain.run(item("a"), item("d"), triple("b", value="y"))
    assert [one.item_id for one in later.items] == ["a"]
    assert [one.reason for one in later.dead_letters] == ["catalogue_full"]
    assert chain.stored("b").values == (("series", ("x", "y")),)
    assert chain.store.health().items == 2


def test_of_too_many_the_rest_are_dead_letters_and_one_that_is_taken_back_makes_room() -> None:
    chain = Items()
    chain.run(item(), *(triple(value=f"v{n}") for n in range(MOST_OBJECTS)))
    [letter] = chain.run(triple(value="more", offset=7)).dead_letters
    assert (letter.reason, letter.topic, letter.offset) == ("knowledge_full", "knowledge", 7)
    assert chain.run(triple(value="v0")).dead_letters == ()
    chain.run(triple(value="v0", deleted=True), triple(value="more"))
    assert chain.stored().values[0][1][-1] == "more"
    other = chain.run(*(triple(relation=f"r{n}", value="v") for n in range(MOST_RELATIONS)))
    assert len(chain.stored().values) == MOST_RELATIONS
    assert [one.reason for one in other.dead_letters] == ["knowledge_full"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{}", "missing_field"),
        (b"{", "truncated"),
        (None, "tombstone"),
        ({"kind": "triple", "item_id": "i", "relation": "r", "ts": T0}, "missing_field"),
        ({"kind": "fact", "item_id": "i", "ts": T0}, "unknown_value"),
    ],
)
def test_what_is_no_triple_is_a_dead_letter(
    value: dict[str, Any] | bytes | None, reason: str
) -> None:
    bad = (
        record(Topic.KNOWLEDGE, 3, value)
        if value is not None
        else Record(Topic.KNOWLEDGE, 0, 3, None, NOW_MS, b"i")
    )
    effects = Items().run(bad, item())
    assert [(one.topic, one.reason) for one in effects.dead_letters] == [("knowledge", reason)]
    assert len(effects.items) == 1


def test_fields_that_are_kept_out_are_counted() -> None:
    assert Items().run(triple(value="v", colour="red")).unknown_fields == {"knowledge.colour": 1}


def test_an_item_that_is_refused_leaves_what_is_known_of_it() -> None:
    chain = Items()
    chain.run(triple(value="Alien"))
    waiting = chain.stored()
    assert changed(waiting, Item(item_id="i", ts=T0, deleted=True), NOW_MS) is None
    chain.run(record(Topic.ITEMS, 2, {"item_id": "i", "deleted": True}))
    assert chain.stored() == waiting


Fact = tuple[str, str, str, bool]
facts: st.SearchStrategy[Fact] = st.tuples(
    st.sampled_from("ij"), st.sampled_from("rs"), st.sampled_from("xy"), st.booleans()
)


@given(st.lists(facts | st.sampled_from("ij"), max_size=12), st.data())
def test_batches_and_redelivery_change_nothing(
    steps: Sequence[Fact | str], data: st.DataObject
) -> None:
    """Against sets, whatever came in one batch and whatever comes again from a commit on."""
    records = [
        item(step)
        if isinstance(step, str)
        else triple(step[0], step[1], number, value=step[2], deleted=step[3])
        for number, step in enumerate(steps)
    ]
    once = Items()
    for one in records:
        once.run(one)
    again = Items()
    cut = data.draw(st.integers(0, len(records)))
    begin = data.draw(st.integers(0, cut))
    again.run(*records[:cut])
    again.run(*records[begin:])
    told: dict[str, set[tuple[str, str]]] = {"i": set(), "j": set()}
    for step in steps:
        if not isinstance(step, str):
            name, relation, value, deleted = step
            (told[name].discard if deleted else told[name].add)((relation, value))
    for name in "ij":
        for chain in (once, again):
            [found] = chain.store.read_items([name])
            values = () if found is None else found.values
            assert {(key, end) for key, ends in values for end in ends} == told[name]
            assert found is None or found.waiting is (name not in steps)


def test_a_record_says_its_kind() -> None:
    known = Knowledge(ts=T0, kind=KnowledgeKind.TRIPLE, item_id="i", relation="r", value="v")
    assert known.kind == "triple"
