"""Reading one key's records on a real broker: its partition alone, also where an admin changes how
many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.partition import partition_of
from upwell.reader import TopicReader
from upwell.settings import KafkaSettings

FEW, MANY = 2, 5
FIRST, LAST = 10.0, 0.5
MOVES = next(
    key
    for key in (f"user-{number}".encode() for number in range(100))
    if partition_of(key, MANY) >= FEW
)
"""Has another partition once there are more."""


@pytest.fixture
def options(kafka: str) -> dict[str, Any]:
    return client_options(KafkaSettings(address=kafka))


@pytest.fixture
def admin(options: dict[str, Any]) -> Iterator[KafkaAdminClient]:
    found = KafkaAdminClient(**options)
    yield found
    found.close()


@pytest.fixture
def topic(admin: KafkaAdminClient, prefix: str) -> str:
    admin.create_topics([NewTopic(prefix + "lists", num_partitions=FEW, replication_factor=1)])
    admin.wait_for_topics([prefix + "lists"])
    return prefix + "lists"


def publish(options: dict[str, Any], topic: str, *records: tuple[bytes, bytes | None]) -> None:
    with KafkaProducer(**options) as producer:
        for key, value in records:
            producer.send(topic, key=key, value=value)


def add_partitions(admin: KafkaAdminClient, topic: str) -> None:
    admin.create_partitions({topic: MANY})
    admin.wait_for_topics([topic])


def test_of_one_key_its_partition_alone_is_read(
    options: dict[str, Any], topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned: list[set[TopicPartition]] = []
    assign = KafkaConsumer.assign

    def noted(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        assigned.append(set(partitions))
        assign(consumer, partitions)

    monkeypatch.setattr(KafkaConsumer, "assign", noted)
    own, everyone = TopicReader(topic, options, key=b"ann"), TopicReader(topic, options)
    assert assigned == [
        {TopicPartition(topic, partition_of(b"ann", FEW))},
        {TopicPartition(topic, number) for number in range(FEW)},
    ]
    users = [f"user-{number}".encode() for number in range(8)]
    publish(options, topic, *((user, user) for user in users), (b"ann", None), (b"ann", b"hers"))
    assert list(own.values(LAST)) == [b"hers"]
    found = everyone.values(FIRST)
    assert {next(found) for _ in range(9)} == {*users, b"hers"}


def test_a_key_that_moves_while_it_is_read_is_followed(
    options: dict[str, Any], topic: str, admin: KafkaAdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upwell.reader.REFRESH_MS", 100)
    values = TopicReader(topic, options, key=MOVES).values(FIRST)
    publish(options, topic, (MOVES, b"before"))
    assert next(values) == b"before"
    add_partitions(admin, topic)
    publish(options, topic, (MOVES, b"after"))
    assert next(values) == b"after"


def test_from_the_beginning_what_stands_on_a_former_partition_is_found_too(
    options: dict[str, Any], topic: str, admin: KafkaAdminClient
) -> None:
    publish(options, topic, (MOVES, b"before"))
    add_partitions(admin, topic)
    publish(options, topic, (MOVES, b"after"), (b"another", b"no"))
    reader = TopicReader(topic, options, key=MOVES, from_beginning=True)
    assert set(reader.values(LAST)) == {b"before", b"after"}


def test_a_topic_that_is_not_there_is_told(options: dict[str, Any], prefix: str) -> None:
    with pytest.raises(BrokerError, match="does not exist"):
        TopicReader(prefix + "nowhere", options, key=b"ann")
