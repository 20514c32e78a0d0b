"""The newest dead letters, and sending one again: on the real broker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka import KafkaProducer, TopicPartition

from gateway.topics.letters import MOST_LETTERS, Letters
from stream.broker.dead_letters import read_letters
from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from upwell.client import client_options
from upwell.codec import dead_letter_value
from upwell.errors import LetterError
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.settings import KafkaSettings

LETTER = DeadLetter(
    reason="not_json", detail="no JSON", topic="clicks", partition=0, offset=7, raw=b"{", ts=5
)


def test_so_many_are_held_the_latest_first_and_a_mark_replaces_its_letter() -> None:
    held = Letters({}, "")
    for offset in range(MOST_LETTERS + 1):
        held.take(dead_letter_value(replace(LETTER, offset=offset, ts=offset)))
    held.take(dead_letter_value(replace(LETTER, offset=3, ts=3, raw=b"", replayed_at=9)))
    shown = held.newest()
    assert len(shown) == MOST_LETTERS
    assert shown[0]["place"] == f"clicks-0-{MOST_LETTERS}"
    assert {one["place"]: one["replayed_at"] for one in shown}["clicks-0-3"] == 9


def test_one_is_sent_again_once(kafka: str, prefix: str) -> None:
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, client)
    with KafkaProducer(acks="all", **client) as producer:
        producer.send(
            prefix + Topic.DEAD_LETTERS,
            key=b"clicks-0-7",
            value=dead_letter_value(LETTER),
            partition=0,
        )
    held = Letters(client, prefix)
    assert held.replay("clicks-0-7", 11).sent == ["clicks-0-7"]
    assert "replayed already" in held.replay("clicks-0-7", 12).skipped["clicks-0-7"]
    [again] = read_partition(client, TopicPartition(prefix + Topic.CLICKS, 0), 0)
    assert again.value == b"{"
    assert read_letters(client, prefix)["clicks-0-7"].replayed_at == 11
    with pytest.raises(LetterError):
        held.replay("clicks-0-8", 13)
