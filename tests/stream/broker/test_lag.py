"""What waits, on a real broker: what a worker can still be given, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from stream.broker.lag import Backlog, Lag
from stream.broker.topics import ensure_topics
from tests.e2e.engine import wait_until
from upwell.events import Topic

ABORTED = "abort_transaction"
COMMITTED = "commit_transaction"


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    found = {"bootstrap_servers": [kafka]}
    ensure_topics(prefix, 1, found)
    return found


@pytest.fixture
def clicks(prefix: str) -> TopicPartition:
    return TopicPartition(prefix + Topic.CLICKS, 0)


def transactions(kafka: str, topic: str, ends: Sequence[str], count: int = 10) -> Producer:
    """Each of `count` records; the last stays open where it ends by an empty name. Returns when
    the broker has written the markers of those that ended, which it does a little late.
    """
    before = end_of(kafka, topic)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    producer.init_transactions(30)
    for end in ends:
        producer.begin_transaction()
        for _ in range(count):
            producer.produce(topic, b"{}", partition=0)
        assert producer.flush(30) == 0
        if end:
            getattr(producer, end)(30)
    stable = before + sum(count + 1 for end in ends if end)
    wait_until(lambda: end_of(kafka, topic) == stable, "the markers")
    return producer


def end_of(kafka: str, topic: str) -> int:
    """Where the records end that are neither open nor behind an open one."""
    place = TopicPartition(topic, 0)
    options = {"bootstrap_servers": [kafka], "isolation_level": "read_committed"}
    with closing(KafkaConsumer(group_id=None, enable_auto_commit=False, **options)) as consumer:
        return int(consumer.end_offsets([place])[place])


def commit(client: dict[str, Any], prefix: str, place: TopicPartition, offset: int) -> None:
    consumer = KafkaConsumer(group_id=prefix + "serve", enable_auto_commit=False, **client)
    consumer.assign([place])
    consumer.commit({place: OffsetAndMetadata(offset, "", -1)})
    consumer.close()


def test_nothing_waits_behind_the_last_record_that_was_committed(
    kafka: str, client: dict[str, Any], prefix: str, clicks: TopicPartition
) -> None:
    transactions(kafka, clicks.topic, [COMMITTED, ABORTED])
    with Lag(client, prefix) as lag:
        assert lag.behind() > 0  # 10 records and 12 offsets that nobody is given
        commit(client, prefix, clicks, 9)
        assert lag.behind() > 0
        assert lag.removed_unread() == {}
        commit(client, prefix, clicks, 10)  # after the last record, before its marker
        for _ in range(2):  # the second time without reading
            assert lag.behind() == 0
            assert lag.backlog({tuple(clicks)}) == Backlog(0, 10, {"clicks": 0})
        transactions(kafka, clicks.topic, [ABORTED])
        assert lag.behind() == 0
        transactions(kafka, clicks.topic, [COMMITTED])
        assert lag.behind() > 0
        ends = lag.ends([Topic.CLICKS])
        commit(client, prefix, clicks, ends[clicks] - 1)
        assert lag.behind() == 0
        assert lag.acknowledged()[clicks] == ends[clicks] - 1


def test_an_open_transaction_and_what_waits_behind_it_is_nobodys_yet(
    kafka: str, client: dict[str, Any], prefix: str, clicks: TopicPartition
) -> None:
    transactions(kafka, clicks.topic, [COMMITTED])
    commit(client, prefix, clicks, 10)
    open_one = transactions(kafka, clicks.topic, [""])
    plain = Producer({"bootstrap.servers": kafka})
    plain.produce(clicks.topic, b"{}", partition=0)
    assert plain.flush(30) == 0
    with Lag(client, prefix) as lag:
        assert lag.behind() == 0
        assert lag.ends([Topic.CLICKS]) == {clicks: 11}
        open_one.abort_transaction(30)
        wait_until(lambda: end_of(kafka, clicks.topic) == 23, "the marker")
        assert lag.behind() > 0
        commit(client, prefix, clicks, 22)
        assert lag.behind() == 0


def test_what_was_removed_before_the_group_came_to_it_does_not_wait_and_is_said(
    kafka: str, client: dict[str, Any], prefix: str, clicks: TopicPartition
) -> None:
    plain = Producer({"bootstrap.servers": kafka})
    for _ in range(20):
        plain.produce(clicks.topic, b"{}", partition=0)
    assert plain.flush(30) == 0
    admin = KafkaAdminClient(**client)
    admin.delete_records({clicks: 4})
    with Lag(client, prefix) as lag:
        assert lag.behind() == 16  # a group that has not begun has missed nothing
        assert lag.removed_unread() == {}
        commit(client, prefix, clicks, 5)
        assert lag.behind() == 15
        admin.delete_records({clicks: 12})
        assert lag.behind() == 8
        assert lag.removed_unread() == {clicks: 7}
        assert lag.acknowledged()[clicks] == 12
        admin.delete_records({clicks: 20})
        assert lag.backlog({tuple(clicks)}) == Backlog(0, 5, {"clicks": 0})
        assert lag.removed_unread() == {clicks: 15}
    admin.close()
