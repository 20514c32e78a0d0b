"""The chain of announcements and controls: the order of the records decides, operators' words are
kept, nothing is lost in a batch.
"""

from __future__ import annotations

from dataclasses import replace

from store import StoreHealth
from store.memory import MemoryStore
from stream.chain.items import ItemPipeline
from stream.chain.records import Record
from tests.stream.chain.chain import ENCODER, NOW_MS, NotingEncoder, announced, record
from upwell.events import Item, Topic
from upwell.values import CatalogueItem

T0 = NOW_MS - 100_000


class Items:
    """An item chain over a memory store."""

    def __init__(self) -> None:
        self.store = MemoryStore(ENCODER.dimension)
        self.pipeline = ItemPipeline(ENCODER, self.store)

    def stored(self, item_id: str = "i") -> CatalogueItem:
        [found] = self.store.read_items([item_id])
        assert found is not None
        return found


def item(ts: int, title: str = "T", item_id: str = "i", **more: object) -> Record:
    return record(Topic.ITEMS, ts, {"item_id": item_id, "ts": T0 + ts, "title": title, **more})


def change(item_id: str = "i", **more: object) -> Record:
    return record(Topic.ITEMS, 2, {"item_id": item_id, **more})


def delete(item_id: str = "i") -> Record:
    return change(item_id, deleted=True)


def control(kind: str, item_id: str = "i", **more: object) -> Record:
    return record(
        Topic.CONTROLS,
        3,
        {"kind": kind, "item_id": item_id, "by": "op", "why": "w", **more},
        partition=1,
    )


def test_an_announcement_is_stored_and_published() -> None:
    chain = Items()
    effects = chain.pipeline.run([item(1), item(2, "U", "j")], NOW_MS)
    assert [(one.item_id, one.title) for one in effects.items] == [("i", "T"), ("j", "U")]
    assert chain.stored("j").title == "U"
    assert effects.counts["items"] == 2


def test_the_order_of_the_records_decides_whatever_the_apps_clock_says() -> None:
    chain = Items()
    chain.pipeline.run([item(32_400_000, "nine hours ahead")], NOW_MS)
    chain.pipeline.run([item(1, "now")], NOW_MS)
    assert chain.stored().title == "now"
    effects = chain.pipeline.run([item(3, "first"), item(2, "second")], NOW_MS)
    assert [one.title for one in effects.items] == ["second"]
    chain.pipeline.run([delete()], NOW_MS)
    assert chain.stored().deleted


def test_a_deletion_needs_the_id_alone_and_of_an_unknown_item_it_changes_nothing() -> None:
    chain = Items()
    chain.pipeline.run([item(1, categories=["sf"])], NOW_MS)
    [gone] = chain.pipeline.run([delete()], NOW_MS).items
    assert (gone.deleted, gone.title, gone.categories) == (True, "T", ("sf",))
    nothing = chain.pipeline.run([delete("nobody")], NOW_MS)
    assert (nothing.items, nothing.dead_letters) == ((), ())


def test_a_record_without_a_value_deletes_the_item_of_its_key() -> None:
    chain = Items()
    chain.pipeline.run([item(1)], NOW_MS)
    [gone] = chain.pipeline.run([Record(Topic.ITEMS, 0, 9, None, NOW_MS, b"i")], NOW_MS).items
    assert (gone.item_id, gone.deleted) == ("i", True)
    [letter] = chain.pipeline.run([Record(Topic.ITEMS, 0, 10, None, NOW_MS)], NOW_MS).dead_letters
    assert letter.reason == "tombstone"


def test_a_change_keeps_what_it_leaves_out_and_a_null_clears_also_within_a_batch() -> None:
    chain = Items()
    first = item(1, categories=["sf"], brand="b", price=9)
    chain.pipeline.run([first, change(price=3), change(brand=None)], NOW_MS)
    found = chain.stored()
    assert (found.title, found.categories, found.price, found.brand) == ("T", ("sf",), 3.0, None)


def test_a_change_of_an_item_nobody_announced_is_a_dead_letter_that_asks_for_the_title() -> None:
    [letter] = Items().pipeline.run([change(price=3)], NOW_MS).dead_letters
    assert (letter.reason, letter.topic) == ("missing_field", "items")
    assert "title" in letter.detail


def test_only_new_words_are_encoded() -> None:
    chain = Items()
    encoder = NotingEncoder(ENCODER.dimension)
    chain.pipeline = ItemPipeline(encoder, chain.store)
    chain.pipeline.run([item(1)], NOW_MS)
    chain.pipeline.run([change(price=3), delete()], NOW_MS)
    assert encoder.calls == [["T"]]


def test_a_state_of_before_whose_time_is_ahead_is_not_in_the_way() -> None:
    chain = Items()
    [old] = announced(Item(item_id="i", ts=NOW_MS + 32_400_000, title="ahead"))
    chain.store.write_items([replace(old, sequence=old.ts)])
    chain.pipeline.run([delete()], NOW_MS)
    assert chain.stored().deleted


def test_operators_words_are_stored_and_published_and_stay_over_a_new_announcement() -> None:
    chain = Items()
    chain.pipeline.run([item(1)], NOW_MS)
    effects = chain.pipeline.run(
        [control("ban_item"), control("pin_item"), control("boost_item", boost=2)], NOW_MS
    )
    assert [(one.banned, one.pinned, one.boost) for one in effects.items] == [(True, True, 2.0)]
    chain.pipeline.run([item(2, "again")], NOW_MS)
    found = chain.stored()
    assert (found.title, found.banned, found.pinned, found.boost) == ("again", True, True, 2.0)
    chain.pipeline.run([control("clear_item")], NOW_MS)
    assert (chain.stored().banned, chain.stored().pinned, chain.stored().boost) == (
        False,
        False,
        0.0,
    )


def test_a_control_counts_in_the_batch_of_its_announcement() -> None:
    chain = Items()
    [made] = chain.pipeline.run([control("ban_item"), item(1)], NOW_MS).items
    assert made.banned
    assert chain.stored().banned


def test_a_control_on_an_item_nobody_announced_is_a_dead_letter_and_the_others_go_on() -> None:
    chain = Items()
    stray = control("ban_item", "who knows")
    effects = chain.pipeline.run([stray, item(1)], NOW_MS)
    [letter] = effects.dead_letters
    assert (letter.reason, letter.topic, letter.partition, letter.offset, letter.raw) == (
        "unknown_item",
        "controls",
        1,
        3,
        stray.value,
    )
    assert "announce it first" in letter.detail
    assert len(effects.items) == 1


def test_a_deleted_item_goes_out_as_such_and_may_come_back() -> None:
    chain = Items()
    [gone] = chain.pipeline.run([item(1), item(1, deleted=True)], NOW_MS).items
    assert not gone.available
    [back] = chain.pipeline.run([item(2)], NOW_MS).items
    assert back.available


def test_broken_items_are_dead_letters_here_and_broken_controls_are_left_to_the_users_chain() -> (
    None
):
    bad_item, bad_control = record(Topic.ITEMS, 1, b"{}"), record(Topic.CONTROLS, 2, b"{}")
    forget = record(
        Topic.CONTROLS, 3, {"kind": "forget_user", "user_id": "ann", "by": "op", "why": "w"}
    )
    effects = Items().pipeline.run([bad_item, bad_control, forget], NOW_MS)
    assert [(one.topic, one.reason) for one in effects.dead_letters] == [("items", "missing_field")]
    assert effects.items == ()


def test_redelivery_changes_nothing_but_is_published_again() -> None:
    chain = Items()
    records = [item(1), control("pin_item")]
    first = chain.pipeline.run(records, NOW_MS)
    again = chain.pipeline.run(records, NOW_MS)
    assert (
        [(one.title, one.pinned) for one in again.items]
        == [(one.title, one.pinned) for one in first.items]
        == [("T", True)]
    )


def test_new_items_beyond_the_capacity_are_dead_letters_known_ones_still_change() -> None:
    chain = Items()
    chain.pipeline = ItemPipeline(ENCODER, chain.store, capacity=2)
    chain.pipeline.run([item(1, item_id="a")], NOW_MS)
    full = chain.pipeline.run(
        [item(2, "A", "a"), item(3, item_id="b"), item(4, item_id="c"), item(5, "again", "c")],
        NOW_MS,
    )
    assert [one.item_id for one in full.items] == ["a", "b"]
    assert [(letter.reason, letter.offset) for letter in full.dead_letters] == [
        ("catalogue_full", 4),
        ("catalogue_full", 5),
    ]
    assert "UPWELL_CATALOGUE_ITEMS" in full.dead_letters[0].detail
    later = chain.pipeline.run([item(6, "B", "b", deleted=True), item(7, item_id="d")], NOW_MS)
    assert ([one.item_id for one in later.items], [one.reason for one in later.dead_letters]) == (
        ["b"],
        ["catalogue_full"],
    )
    assert chain.store.health().items == 2


class Counting(MemoryStore):
    """How often all that it has was counted."""

    counted = 0

    def health(self) -> StoreHealth:
        self.counted += 1
        return super().health()


def announce(pipeline: ItemPipeline, numbers: range, now_ms: int = NOW_MS) -> tuple[int, int]:
    """New items; how many are in, and how many were too many."""
    effects = pipeline.run([item(1, item_id=f"i{one}") for one in numbers], now_ms)
    return len(effects.items), len(effects.dead_letters)


def test_what_the_store_has_is_counted_now_and_then_and_the_capacity_holds_to_the_item() -> None:
    store = Counting(ENCODER.dimension)
    pipeline = ItemPipeline(ENCODER, store, capacity=100)
    found = [announce(pipeline, range(start, start + 2)) for start in range(0, 104, 2)]
    assert found == [(2, 0)] * 50 + [(0, 2)] * 2
    assert store.counted < 40
    large = Counting(ENCODER.dimension)
    pipeline = ItemPipeline(ENCODER, large, capacity=10_000)
    for start in range(0, 500, 10):
        announce(pipeline, range(start, start + 10))
    assert large.counted == 1


def test_what_another_worker_has_announced_is_counted_too() -> None:
    store = MemoryStore(ENCODER.dimension)
    one, other = (ItemPipeline(ENCODER, store, capacity=64) for _ in range(2))
    assert announce(one, range(1)) == (1, 0)
    assert announce(other, range(1, 64)) == (63, 0)
    assert announce(one, range(64, 67), NOW_MS + 10_000) == (0, 3)
    assert store.health().items == 64
