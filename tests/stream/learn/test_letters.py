"""The index of dead letters on the real broker: read once, followed, true to what was removed."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from stream.learn.letters import LetterIndex, remove_letters
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

TOPIC = Topic.DEAD_LETTERS


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    options = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, options)
    return options


def write(client: dict[str, Any], prefix: str, *letters: tuple[bytes, str | None]) -> None:
    """Of each user a letter; without one where a letter names nobody."""
    with KafkaProducer(**client) as producer:
        for key, user in letters:
            value = orjson.dumps({"user": user})
            producer.send(prefix + TOPIC, key=key, value=value, partition=0)


def test_an_erasure_reads_only_what_came_since_the_one_before(
    client: dict[str, Any], prefix: str
) -> None:
    index = LetterIndex(client, prefix)
    read: list[int] = []

    def counted(client: Any, partition: TopicPartition, start: int) -> Any:
        for record in read_partition(client, partition, start):
            read.append(record.offset)
            yield record

    with patch("stream.learn.letters.read_partition", counted):
        write(client, prefix, (b"a", "u1"), (b"b", "u2"), (b"c", None), (b"d", "u1"))
        assert index.of({"u1"}) == [("u1", b"a"), ("u1", b"d")]
        write(client, prefix, (b"e", "u2"), (b"a", None))
        assert index.of({"u1", "u2"}) == [("u2", b"b"), ("u1", b"d"), ("u2", b"e")]
    assert read == [0, 1, 2, 3, 4, 5]
    with KafkaProducer(**client) as producer:
        assert remove_letters(producer, prefix, index.of({"u2"})) == {"u2": 2}
    assert index.of({"u1", "u2"}) == [("u1", b"d")]
    assert LetterIndex(client, prefix).of({"u1", "u2"}) == [("u1", b"d")]


def test_letters_past_the_retention_leave_the_index(client: dict[str, Any], prefix: str) -> None:
    index = LetterIndex(client, prefix)
    write(client, prefix, (b"a", "u1"), (b"b", "u1"), (b"c", "u1"))
    assert len(index.of({"u1"})) == 3
    admin = KafkaAdminClient(**client)
    admin.delete_records({TopicPartition(prefix + TOPIC, 0): 2})
    admin.close()
    assert index.of({"u1"}) == [("u1", b"c")]


def test_a_topic_made_anew_is_read_anew(client: dict[str, Any], prefix: str) -> None:
    index = LetterIndex(client, prefix)
    write(client, prefix, (b"a", "u1"), (b"b", "u1"))
    assert len(index.of({"u1"})) == 2
    admin = KafkaAdminClient(**client)
    admin.delete_topics([prefix + TOPIC])
    admin.close()
    ensure_topics(prefix, 1, client)
    write(client, prefix, (b"c", "u1"), (b"d", None), (b"e", "u1"))
    assert index.of({"u1"}) == [("u1", b"c"), ("u1", b"e")]


class Undelivered:
    """A producer's answer for a record that no replica took."""

    def get(self, timeout: float) -> None:
        raise KafkaError(f"not within {timeout} s")


def test_a_removal_that_was_not_delivered_is_said(prefix: str) -> None:
    with patch("kafka.KafkaProducer") as producer:
        producer.send.return_value = Undelivered()
        with pytest.raises(KafkaError, match="not within"):
            remove_letters(producer, prefix, [("u1", b"a")])
