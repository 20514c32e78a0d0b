"""Dead letters on a real broker: the newest record of a place counts, a replay sends the bytes
once; and what sending twice would do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaProducer, TopicPartition

from encoders.hashing import HashingEncoder
from store.memory import MemoryStore
from stream.broker.dead_letters import (
    Filter,
    Replayed,
    chosen,
    read_letters,
    replay_letters,
    the_letter,
)
from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics, partition_of
from stream.chain.items import ItemPipeline
from stream.chain.publish import user_records
from stream.chain.records import Record
from stream.chain.wire import first_appended
from stream.replay.report import letter_text, letters_table
from tests.stream.chain.chain import NOW_MS, PARTITIONS, PSEUDONYMIZER, Chain, record
from upwell.codec import KEPT_BYTES, dead_letter_value, parse_dead_letter
from upwell.errors import BrokerError, LetterError
from upwell.events import Topic, type_of_topic
from upwell.recommendations import DeadLetter

CLICK = (
    b'{"event_id": "e", "ts": 1700000000000, "user_id": "ann", "item_id": "i0", "action": "click"}'
)
WAITING = DeadLetter(
    reason="unknown_value",
    detail="why",
    topic="clicks",
    partition=1,
    offset=7,
    raw=CLICK,
    ts=NOW_MS,
    key=b"ann",
    user="4f",
)
OTHER = replace(WAITING, topic="reviews", reason="empty", raw=b"", key=None)


@pytest.fixture
def client(kafka: str, prefix: str) -> Mapping[str, Any]:
    options = {"bootstrap_servers": kafka}
    ensure_topics(prefix, PARTITIONS, options)
    return options


def put(client: Mapping[str, Any], prefix: str, *letters: tuple[str, DeadLetter | None]) -> None:
    with KafkaProducer(**client) as producer:
        for place, letter in letters:
            producer.send(
                prefix + Topic.DEAD_LETTERS,
                key=place.encode(),
                value=None if letter is None else dead_letter_value(letter),
            )


def on_clicks(client: Mapping[str, Any], prefix: str) -> list[tuple[bytes | None, bytes, int]]:
    """Key, value and partition of each record on `clicks`."""
    parts = [TopicPartition(prefix + Topic.CLICKS, number) for number in range(PARTITIONS)]
    return [
        (one.key, one.value, one.partition)
        for part in parts
        for one in read_partition(client, part, 0)
    ]


def first_times(client: Mapping[str, Any], prefix: str) -> list[int | None]:
    """Of each record on `clicks`, as its header says."""
    parts = [TopicPartition(prefix + Topic.CLICKS, number) for number in range(PARTITIONS)]
    return [
        first_appended(dict(one.headers))
        for part in parts
        for one in read_partition(client, part, 0)
    ]


def test_what_is_sent_again_is_as_old_as_when_it_first_came(
    client: Mapping[str, Any], prefix: str
) -> None:
    put(client, prefix, (WAITING.place, replace(WAITING, appended=NOW_MS - 5)))
    replay_letters(client, prefix, chosen(read_letters(client, prefix), (), Filter()), NOW_MS + 5)
    assert first_times(client, prefix) == [NOW_MS - 5]


def test_the_newest_record_of_a_place_counts_and_one_without_a_value_removes_it(
    client: Mapping[str, Any], prefix: str
) -> None:
    assert read_letters(client, prefix) == {}
    newer = replace(WAITING, ts=NOW_MS + 1)
    put(
        client,
        prefix,
        (WAITING.place, WAITING),
        (OTHER.place, OTHER),
        (WAITING.place, newer),
        (OTHER.place, None),
    )
    assert read_letters(client, prefix) == {"clicks-1-7": newer}


def test_a_replay_sends_the_bytes_under_their_key_once_and_says_so_the_second_time(
    client: Mapping[str, Any], prefix: str
) -> None:
    foreign = replace(WAITING, topic="models", offset=8)
    cut = replace(WAITING, offset=9, raw=b"x" * (KEPT_BYTES + 1))
    put(client, prefix, *((one.place, one) for one in (WAITING, foreign, cut)))
    letters = read_letters(client, prefix)
    done = replay_letters(client, prefix, chosen(letters, (), Filter()), NOW_MS + 5)
    assert done.sent == ["clicks-1-7"]
    assert first_times(client, prefix) == [NOW_MS]
    assert "models" in done.skipped["models-1-8"]
    assert "produce the whole record again" in done.skipped["clicks-1-9"]
    assert on_clicks(client, prefix) == [(b"ann", CLICK, partition_of(b"ann", PARTITIONS))]

    marked = read_letters(client, prefix)
    assert marked["clicks-1-7"] == replace(WAITING, raw=b"", key=None, replayed_at=NOW_MS + 5)
    again = replay_letters(client, prefix, chosen(marked, ["clicks-1-7"], Filter()), NOW_MS + 9)
    assert again == Replayed([], {"clicks-1-7": again.skipped["clicks-1-7"]})
    assert "replayed already" in again.skipped["clicks-1-7"]
    assert len(on_clicks(client, prefix)) == 1
    assert read_letters(client, prefix) == marked


def test_letters_are_chosen_by_place_reason_and_topic() -> None:
    done = replace(WAITING, offset=8, replayed_at=NOW_MS)
    letters = {one.place: one for one in (WAITING, OTHER, done)}
    assert chosen(letters, (), Filter()) == [WAITING, OTHER]
    assert (
        chosen(letters, (), Filter(reason="empty"))
        == chosen(letters, (), Filter(topic="reviews"))
        == [OTHER]
    )
    assert chosen(letters, ["clicks-1-8", "clicks-1-7", "clicks-1-8"], Filter()) == [done, WAITING]
    for ask in (
        lambda: chosen(letters, ["clicks-1-9"], Filter()),
        lambda: the_letter(letters, "clicks-1-9"),
    ):
        with pytest.raises(
            LetterError, match="no dead letter clicks-1-9: `upwell dead-letters list`"
        ):
            ask()


def test_a_broker_without_upwells_topics_is_one_line(kafka: str) -> None:
    with pytest.raises(
        BrokerError, match=r"topic nobody-here.dead_letters does not exist: .*upwell run"
    ) as error:
        read_letters({"bootstrap_servers": kafka}, "nobody-here.")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("topic", "more"),
    [(Topic.CLICKS, {"item_id": "i0", "action": "click"}), (Topic.QUERIES, {"text": "robots"})],
)
def test_a_replay_whose_mark_was_lost_is_a_retry_of_its_event_id(
    topic: Topic, more: dict[str, Any]
) -> None:
    """What died between sending and marking sends once more: on another offset, in the same process
    or after a restart.
    """
    first = record(topic, 0, {"event_id": "e", "user_id": "ann", **more})
    again = replace(first, offset=1)
    chain = Chain()
    chain.pipeline.run([first], NOW_MS)
    chain.pipeline.run([again], NOW_MS)
    restarted = Chain(chain.store)
    restarted.pipeline.run([replace(first, offset=2)], NOW_MS)
    state = chain.state("ann")
    assert state is not None
    assert [entry.event_id for entry in state.history] == ["e"]
    assert state.events == 1


@pytest.mark.parametrize("topic", sorted(set(type_of_topic) - {Topic.ITEMS, Topic.KNOWLEDGE}))
def test_bytes_without_an_event_id_are_no_event_however_often_they_are_sent(topic: Topic) -> None:
    value = {
        "ts": NOW_MS,
        "user_id": "ann",
        "item_id": "i",
        "action": "click",
        "text": "t",
        "list_id": "l",
        "item_ids": ["i"],
    }
    raw = json.dumps(
        value | {"request_id": "r", "kind": "forget_user", "by": "b", "why": "w"}
    ).encode()
    letters = (
        Chain()
        .pipeline.run([Record(topic, 0, offset, raw, NOW_MS) for offset in (0, 1)], NOW_MS)
        .dead_letters
    )
    assert [letter.detail for letter in letters] == ["event_id is missing"] * 2


def test_an_announcement_needs_none_since_a_second_one_changes_nothing() -> None:
    store = MemoryStore(8)
    items = ItemPipeline(HashingEncoder(8), store)
    for offset in (0, 1):
        items.run(
            [
                Record(
                    Topic.ITEMS,
                    0,
                    offset,
                    b'{"item_id": "i", "ts": 1700000000000, "title": "t"}',
                    NOW_MS,
                )
            ],
            NOW_MS,
        )
    [item] = store.read_items(["i"])
    assert item is not None
    assert item.ts == 1700000000000


def test_a_letter_keeps_its_records_key_and_tells_its_user_by_bytes_or_by_key() -> None:
    raws = (b'{"user_id": "bob"', b'{"user_id": "bob"}', b"\xff", b"{}")
    records = [
        Record(Topic.CLICKS, 1, offset, raw, NOW_MS, key)
        for offset, raw in enumerate(raws)
        for key in (b"ann", b"\xff", None)
    ]
    letters = Chain().pipeline.run(records, NOW_MS).dead_letters
    ann, bob = map(PSEUDONYMIZER.pseudonym, ("ann", "bob"))
    assert [letter.key for letter in letters] == [b"ann", b"\xff", None] * 4
    assert [letter.user for letter in letters] == [
        ann,
        None,
        None,
        bob,
        bob,
        bob,
        *[ann, None, None] * 2,
    ]
    sent = list(user_records(Chain().pipeline.process(records[:1], NOW_MS), NOW_MS))
    assert [one.key for one in sent] == [b"clicks-1-0"]
    assert parse_dead_letter(sent[0].value) == letters[0]


def test_a_letter_is_shown_whole_and_writes_nowhere_else_on_the_terminal() -> None:
    text = letter_text(
        replace(WAITING, raw=b'{"a": "[red]"}\x1b[2J\xff', detail="no\x1b", key=None)
    )
    sent = '{"a": "\\[red]"}�[2J\\xff'
    for part in (
        "clicks-1-7",
        "2027-01-15 08:00:00 UTC",
        "unknown_value",
        sent,
        "record's key  none",
        "user          4f",
    ):
        assert part in text
    assert "\x1b" not in text
    assert "1 wait (1 empty); 2 were replayed" in letters_table([OTHER], replayed=2).renderables
