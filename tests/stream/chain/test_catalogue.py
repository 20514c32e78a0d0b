"""Announcements become entries; what an operator decided stays over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stream.chain.catalogue import Catalogue, changed, encoded, govern, item_text
from tests.stream.chain.chain import ENCODER, announced
from upwell.events import Control, ControlKind, Item
from upwell.schema import CLEARABLE
from upwell.values import CatalogueItem

ITEM = Item(
    item_id="i",
    ts=5,
    title="Solaris",
    text="A planet thinks.",
    categories=("sci-fi", "drama"),
    brand="b",
    price=3.5,
    image="u",
    language="ru",
)


def entry_of(item: Item, before: CatalogueItem | None) -> CatalogueItem:
    made = changed(before, item, item.ts)
    assert made is not None
    return made


def entry(item: Item = ITEM, before: CatalogueItem | None = None) -> CatalogueItem:
    return encoded([entry_of(item, before)], [before], ENCODER)[0]


def control(kind: ControlKind, boost: float | None = None) -> Control:
    return Control(event_id="c", ts=9, kind=kind, by="op", why="w", item_id="i", boost=boost)


def test_an_entry_has_all_of_its_announcement_and_the_vector_of_its_words() -> None:
    made = entry()
    for name in (
        "item_id",
        "ts",
        "title",
        "text",
        "categories",
        "brand",
        "price",
        "image",
        "language",
    ):
        assert getattr(made, name) == getattr(ITEM, name)
    np.testing.assert_array_equal(
        made.vector, ENCODER.encode(["Solaris. sci-fi, drama. A planet thinks."])[0]
    )
    assert (made.sequence, made.revision, made.available) == (5, ENCODER.revision, True)


def test_an_unchanged_text_is_not_encoded_again_and_keeps_its_vector_to_the_bit() -> None:
    before = replace(entry(), vector=entry().vector * np.float32(1.0000001))
    other = replace(ITEM, item_id="j", title="Stalker")
    asked: list[str] = []

    class Watched:
        dimension, revision = ENCODER.dimension, ENCODER.revision

        def encode(self, texts: Sequence[str]) -> Any:
            asked.extend(texts)
            return ENCODER.encode(texts)

    dearer = replace(ITEM, price=9.0, ts=6)
    known = [before, None]
    entries = [entry_of(one, kept) for one, kept in zip([dearer, other], known, strict=True)]
    made = encoded(entries, known, Watched())
    assert asked == [item_text(other)]
    assert np.array_equal(made[0].vector, before.vector)
    assert np.array_equal(made[1].vector, entry(other).vector)
    assert made[0].price == 9.0
    renamed = entry(replace(ITEM, title="New"), before)
    assert np.array_equal(renamed.vector, entry(replace(ITEM, title="New")).vector)
    elsewhere = replace(before, revision="another encoder")
    assert np.array_equal(entry(ITEM, elsewhere).vector, entry().vector)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "T"),
        ({"text": "words"}, "T. words"),
        ({"categories": ("a", "b")}, "T. a, b"),
        ({"categories": ("a",), "text": "words"}, "T. a. words"),
    ],
)
def test_the_model_reads_title_categories_and_text(more: dict[str, Any], text: str) -> None:
    assert item_text(Item(item_id="i", ts=0, title="T", **more)) == text


def test_each_item_of_a_batch_gets_its_own_vector() -> None:
    items = [replace(ITEM, item_id=f"i{number}", title=f"title {number}") for number in range(3)]
    for item, made in zip(items, announced(*items), strict=True):
        np.testing.assert_allclose(made.vector, entry(item).vector)


def test_nothing_to_announce_asks_no_encoder() -> None:
    assert encoded([], [], ENCODER) == []


@pytest.mark.parametrize(
    ("kind", "boost", "changed"),
    [
        (ControlKind.BAN_ITEM, None, {"banned": True}),
        (ControlKind.PIN_ITEM, None, {"pinned": True}),
        (ControlKind.BOOST_ITEM, -2.5, {"boost": -2.5}),
        (ControlKind.FORGET_USER, None, {}),
    ],
)
def test_an_operators_word_changes_its_part_alone(
    kind: ControlKind, boost: float | None, changed: dict[str, object]
) -> None:
    made = entry()
    assert govern(made, control(kind, boost)) == replace(made, **changed)  # type: ignore[arg-type]


def test_clear_takes_all_of_them_back() -> None:
    made = entry()
    governed = replace(made, banned=True, pinned=True, boost=3.0)
    assert govern(governed, control(ControlKind.CLEAR_ITEM)) == made


def test_what_an_operator_decided_stays_over_a_new_announcement() -> None:
    governed = replace(entry(), banned=True, pinned=True, boost=3.0)
    again = entry(replace(ITEM, ts=6, title="Solaris (1972)"), governed)
    assert (again.banned, again.pinned, again.boost, again.title, again.available) == (
        True,
        True,
        3.0,
        "Solaris (1972)",
        False,
    )


def test_a_deleted_item_is_not_available() -> None:
    assert not entry(Item(item_id="i", ts=6, deleted=True), entry()).available


def test_what_a_change_leaves_out_stays_and_keeps_its_vector() -> None:
    made = entry()
    cheaper = entry(Item(item_id="i", ts=6, price=2.0), made)
    assert cheaper == replace(made, ts=6, sequence=6, price=2.0)
    assert cheaper.vector is made.vector


def test_relations_are_replaced_as_a_whole_without_encoding_and_can_be_taken_away() -> None:
    first = entry(Item(item_id="i", ts=6, relations=(("like", ("j",)),)), entry())
    assert first.relations == (("like", ("j",)),)
    second = entry(Item(item_id="i", ts=7, relations=(("series", ("k",)),)), first)
    assert second.relations == (("series", ("k",)),)
    assert second.vector is first.vector
    assert entry(Item(item_id="i", ts=8, cleared=("relations",)), second).relations == ()


def test_what_is_cleared_goes_and_the_words_are_encoded_again() -> None:
    bare = entry(Item(item_id="i", ts=6, cleared=CLEARABLE), entry())
    assert (bare.text, bare.categories, bare.price) == (None, (), None)
    np.testing.assert_array_equal(bare.vector, ENCODER.encode(["Solaris"])[0])


@pytest.mark.parametrize(
    ("again", "available"),
    [
        (Item(item_id="i", ts=7, title="Solaris"), True),
        (Item(item_id="i", ts=7, deleted=False), True),
        (Item(item_id="i", ts=7, price=1.0), False),
        (Item(item_id="i", ts=7, title="Solaris", deleted=True), False),
    ],
)
def test_a_title_or_deleted_false_brings_an_item_back_a_price_does_not(
    again: Item, available: bool
) -> None:
    gone = entry(Item(item_id="i", ts=6, deleted=True), entry())
    assert entry(again, gone).available is available


@pytest.mark.parametrize("item", [Item(item_id="i", ts=1, price=2.0), replace(ITEM, deleted=True)])
def test_of_an_unknown_item_only_an_announcement_with_a_title_makes_an_entry(item: Item) -> None:
    assert changed(None, item, 1) is None


def test_a_catalogue_knows_the_newest_entry_put() -> None:
    catalogue = Catalogue()
    made = entry()
    catalogue.put([made, replace(made, title="newer")])
    assert (len(catalogue), catalogue.title("i"), catalogue.title("j")) == (1, "newer", None)
    assert catalogue.vector("i") is made.vector
    assert catalogue.vector("j") is None
    assert catalogue.get("j") is None
