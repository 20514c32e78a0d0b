"""Of each item the words that stand."""

from __future__ import annotations

from gateway.topics.words import MOST_ITEMS, Words
from upwell.events import Control, ControlKind


def word(
    kind: ControlKind, why: str = "y", item_id: str = "i1", boost: float | None = None
) -> Control:
    return Control(event_id="e", ts=1, kind=kind, by="x", why=why, item_id=item_id, boost=boost)


def test_the_newest_of_each_kind_stands_in_the_order_of_the_record() -> None:
    words = Words()
    words.take(word(ControlKind.PIN_ITEM, "first"), 10)
    words.take(word(ControlKind.BOOST_ITEM, boost=1.0), 20)
    words.take(word(ControlKind.BOOST_ITEM, boost=2.0), 30)
    words.take(word(ControlKind.PIN_ITEM, "again"), 40)
    assert [(one.kind, one.why, one.boost, one.at) for one in words.of("i1")] == [
        (ControlKind.BOOST_ITEM, "y", 2.0, 30),
        (ControlKind.PIN_ITEM, "again", None, 40),
    ]
    assert words.of("i2") == []


def test_clearing_takes_all_of_an_item_back() -> None:
    words = Words()
    words.take(word(ControlKind.BAN_ITEM), 10)
    words.take(word(ControlKind.BAN_ITEM, item_id="i2"), 10)
    words.take(word(ControlKind.CLEAR_ITEM), 20)
    words.take(word(ControlKind.CLEAR_ITEM, item_id="i3"), 20)
    assert words.of("i1") == []
    assert len(words.of("i2")) == 1


def test_a_word_on_a_user_is_none_on_an_item() -> None:
    words = Words()
    forget = Control(
        event_id="e", ts=1, kind=ControlKind.FORGET_USER, by="x", why="y", user_id="i1"
    )
    words.take(forget, 10)
    assert words.of("i1") == []


def test_so_many_items_are_remembered() -> None:
    words = Words()
    for number in range(MOST_ITEMS + 1):
        words.take(word(ControlKind.BAN_ITEM, item_id=f"i{number}"), number)
    assert words.of("i0") == []
    assert len(words.of(f"i{MOST_ITEMS}")) == 1
