"""Effects to records: the order, the keys, the partitions and what stands in each."""

from __future__ import annotations

import pytest

from stream.chain.effects import Effects, FreshList, ItemEffects, Rerouted
from stream.chain.publish import TRIGGER_APPENDED, item_records, user_records
from stream.chain.wire import decode_item
from tests.stream.chain.chain import ENCODER, examples_in
from upwell.codec import parse_dead_letter, parse_recommendations
from upwell.events import Topic
from upwell.recommendations import DeadLetter, Entry, Reason, Recommendations
from upwell.values import CatalogueItem, Example, Interaction

NOW_MS = 1_800_000_000_000
LETTER = DeadLetter(
    reason="bad_json",
    detail="why",
    topic="clicks",
    partition=1,
    offset=2,
    raw=b"\xff\x00",
    ts=NOW_MS,
)
FRESH = FreshList(
    list_id="l",
    user_id="ann",
    items=(Entry(item_id="i", score=1.5, reasons=(Reason(signal="text", weight=1.5),), title="T"),),
    model_version="m1",
    trigger="e1",
    covers={"clicks-1": 7},
    appended_ms=NOW_MS - 30,
)


def example(source: str, offset: int) -> Example:
    event = Interaction(f"{source}/{offset}", 1, "i", "click", None, source, offset)
    return Example(
        source=source,
        offset=offset,
        user="u",
        event=event,
        history=(),
        intent=None,
        user_events=0,
        tested=False,
    )


def test_all_effects_are_published_in_their_order() -> None:
    effects = Effects(
        dead_letters=(LETTER,),
        rerouted=(Rerouted(b"ann", b"raw"),),
        lists=(FRESH,),
        examples=(example("clicks-1", 0),),
    )
    records = list(user_records(effects, NOW_MS))
    assert [record.topic for record in records] == [
        Topic.DEAD_LETTERS,
        Topic.REROUTED,
        Topic.RECOMMENDATIONS,
        Topic.EXAMPLES,
    ]
    assert parse_dead_letter(records[0].value) == LETTER
    assert (records[1].key, records[1].value, records[1].partition) == (b"ann", b"raw", None)


def test_a_list_goes_to_its_user_and_says_when_its_trigger_was_appended() -> None:
    [record] = user_records(Effects(lists=(FRESH,)), NOW_MS)
    assert (record.key, record.partition) == (b"ann", None)
    assert record.headers == ((TRIGGER_APPENDED, str(NOW_MS - 30).encode()),)
    assert parse_recommendations(record.value) == Recommendations(
        list_id="l",
        user_id="ann",
        items=FRESH.items,
        model_version="m1",
        trigger="e1",
        covers={"clicks-1": 7},
        ts=NOW_MS,
        latency_ms=30,
    )


def test_a_broker_whose_clock_is_ahead_makes_no_negative_latency() -> None:
    [record] = user_records(Effects(lists=(FRESH,)), NOW_MS - 1_000)
    assert parse_recommendations(record.value).latency_ms == 0


def test_examples_stay_on_the_partition_of_their_source_in_the_order_of_its_offsets() -> None:
    given = [
        example("clicks-1", 5),
        example("reviews-10", 3),
        example("clicks-1", 2),
        example("reviews-10", 9),
        example("clicks-3", 0),
    ]
    records = list(user_records(Effects(examples=tuple(given)), NOW_MS))
    found = {
        record.partition: [(one.source, one.offset) for one in examples_in(record.value)]
        for record in records
    }
    assert found == {
        1: [("clicks-1", 2), ("clicks-1", 5)],
        10: [("reviews-10", 3), ("reviews-10", 9)],
        3: [("clicks-3", 0)],
    }
    assert len(records) == 3


def test_two_topics_of_one_partition_are_two_records() -> None:
    records = list(
        user_records(Effects(examples=(example("clicks-1", 0), example("reviews-1", 0))), NOW_MS)
    )
    assert [record.partition for record in records] == [1, 1]


@pytest.mark.parametrize("letters", [(), (LETTER,)])
def test_an_item_goes_out_under_its_id_after_the_dead_letters(
    letters: tuple[DeadLetter, ...],
) -> None:
    item = CatalogueItem(
        item_id="ü", ts=1, title="T", vector=ENCODER.encode(["T"])[0], revision="r"
    )
    records = list(item_records(ItemEffects(items=(item,), dead_letters=letters)))
    assert [record.topic for record in records] == [Topic.DEAD_LETTERS] * len(letters) + [
        Topic.CATALOGUE
    ]
    assert (records[-1].key, records[-1].partition) == ("ü".encode(), None)
    assert decode_item(records[-1].value).title == "T"


def test_nothing_in_nothing_out() -> None:
    assert list(user_records(Effects(), NOW_MS)) == []
    assert list(item_records(ItemEffects())) == []
