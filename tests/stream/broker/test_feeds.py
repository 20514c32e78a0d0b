"""Broadcast readers on a real broker: what was there, and an end that is heard of."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError, KafkaTimeoutError

from stream.broker.feeds import Broadcast
from tests.e2e.engine import wait_until
from upwell.errors import BrokerError

DEADLINE_SECONDS = 60.0
ERRORS = [
    KafkaError("gone"),
    RuntimeError("NetworkSelector closed!"),
    ValueError("Invalid file descriptor: -1"),
    OSError(9, "Bad file descriptor"),
    KeyboardInterrupt("not even an Exception"),
]


@pytest.fixture
def reader(kafka: str, prefix: str) -> Iterator[Broadcast]:
    """Of a topic with one record."""
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics(
        [NewTopic(prefix + "models", num_partitions=1, replication_factor=1)],
        wait_for_metadata=True,
    )
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    producer.send(prefix + "models", value=b"first")
    producer.close()
    reading = Broadcast(prefix + "models", {"bootstrap_servers": kafka})
    yield reading
    reading.stop()


def test_what_stood_there_is_read_when_start_returns(reader: Broadcast) -> None:
    reader.start()
    assert reader.waiting == 1
    assert [record.value for record in reader.drain()] == [b"first"]
    assert reader.waiting == 0


@pytest.mark.parametrize(
    ("last", "found"),
    [
        (0, []),
        (2, [b"second", b"third"]),
        (9, [b"first", b"second", b"third"]),
        (None, [b"first", b"second", b"third"]),
    ],
)
def test_only_the_newest_are_read_where_that_is_wanted(
    last: int | None, found: list[bytes], reader: Broadcast, kafka: str, prefix: str
) -> None:
    with KafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        producer.send(prefix + "models", value=b"second")
        producer.send(prefix + "models", value=b"third")
    reader.start(last)
    assert [record.value for record in reader.drain()] == found


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_reader_that_ended_by_whatever_error_says_so_at_the_next_call(
    error: BaseException, reader: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.start()

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(reader._consumer, "poll", broken)
    assert reader._thread is not None
    reader._thread.join(DEADLINE_SECONDS)
    why = f"models: reading stopped: {type(error).__name__}: "
    with pytest.raises(BrokerError, match=why):
        next(reader.drain())
    with pytest.raises(BrokerError, match=why):
        _ = reader.waiting


def test_a_broker_that_cannot_be_asked_for_a_moment_ends_nothing(
    reader: Broadcast, kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.start(0)
    consumer = reader._consumer
    assert consumer is not None
    refused = threading.Event()
    poll = consumer.poll

    def once(**asked: object) -> object:
        if not refused.is_set():
            refused.set()
            raise KafkaTimeoutError("no broker")
        return poll(**asked)

    monkeypatch.setattr(consumer, "poll", once)
    assert refused.wait(DEADLINE_SECONDS)
    with KafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        producer.send(prefix + "models", value=b"then")
    wait_until(lambda: reader.waiting == 1, "what came afterwards")
