"""Records to arrivals: order is kept, each event knows the record that brought it."""

from __future__ import annotations

from stream.chain.records import Record, decode_records
from stream.chain.wire import encode_rerouted
from tests.stream.chain.chain import NOW_MS, record
from upwell.events import Click, Topic

CLICK = record(Topic.CLICKS, 4, {"user_id": "ann", "item_id": "i", "action": "click"}, partition=1)


def test_events_and_dead_letters_keep_their_order() -> None:
    bad, worse = (
        record(Topic.CLICKS, 5, b"", partition=1),
        record(Topic.QUERIES, 6, b"[]", partition=1),
    )
    arrivals, letters = decode_records([bad, CLICK, worse, CLICK], NOW_MS)
    assert [arrival.record for arrival in arrivals] == [CLICK, CLICK]
    assert [letter.reason for letter in letters] == ["empty", "not_an_object"]


def test_an_arrival_stands_where_its_record_stood() -> None:
    [arrival], _ = decode_records([CLICK], NOW_MS)
    assert (arrival.source, arrival.offset, arrival.topic) == ("clicks-1", 4, Topic.CLICKS)
    assert isinstance(arrival.event, Click)


def test_a_rerouted_event_is_unwrapped_and_stands_on_rerouted() -> None:
    carrier = Record(
        Topic.REROUTED, 2, 9, encode_rerouted(Topic.CLICKS, CLICK.value or b""), NOW_MS
    )
    [arrival], _ = decode_records([carrier], NOW_MS)
    assert (arrival.source, arrival.offset, arrival.topic) == ("rerouted-2", 9, Topic.CLICKS)


def test_what_no_worker_put_on_rerouted_is_a_dead_letter() -> None:
    valid = Record(Topic.REROUTED, 2, 9, CLICK.value, NOW_MS)
    for raw in (b"nonsense\n{}", b"models\n{}", b"\xff\n{}", b"{}"):
        arrivals, [first, second] = decode_records(
            [Record(Topic.REROUTED, 2, 9, raw, NOW_MS), valid], NOW_MS
        )
        assert arrivals == []
        assert (first.raw, first.topic) == (raw, "rerouted")
        assert second.reason == "unknown_topic"
