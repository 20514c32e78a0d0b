"""Batches of several topics on real Kafka: in order, and again exactly as they were."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from stream.uses.inputs import Inputs
from upwell.client import client_options
from upwell.settings import KafkaSettings

TOPICS = ("first", "second")


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    options = client_options(KafkaSettings(address=kafka, prefix=prefix))
    admin = KafkaAdminClient(**options)
    admin.create_topics([NewTopic(prefix + one, num_partitions=2) for one in TOPICS])
    admin.wait_for_topics([prefix + one for one in TOPICS])
    admin.close()
    return options


def send(client: dict[str, Any], prefix: str, start: int, end: int) -> None:
    with closing(KafkaProducer(acks="all", **client)) as producer:
        for number in range(start, end):
            producer.send(
                prefix + TOPICS[number % 2],
                value=str(number).encode(),
                partition=number // 2 % 2,
                timestamp_ms=1_000 + number,
            ).get(timeout=30)


def values(rows: list[Any]) -> list[int]:
    return [int(one.value) for one in rows]


def test_what_was_read_in_batches_is_read_again_in_the_same(
    client: dict[str, Any], prefix: str
) -> None:
    batches, ends = [], []
    with closing(Inputs(client, prefix, TOPICS, {})) as inputs:
        for start in range(0, 40, 8):
            send(client, prefix, start, start + 8)
            read: list[int] = []
            while len(read) < 8:
                if rows := inputs.poll(500):
                    read += values(rows)
                    batches.append(values(rows))
                    ends.append(dict(inputs.positions))
    assert sorted(number for one in batches for number in one) == list(range(40))
    with closing(Inputs(client, prefix, TOPICS, {})) as again:
        assert [values(again.upto(end)) for end in ends] == batches
        send(client, prefix, 40, 44)
        after: list[int] = []
        while len(after) < 4:
            after += values(again.poll(500))
        assert sorted(after) == [40, 41, 42, 43]


def test_a_whole_stretch_comes_in_the_order_of_the_brokers_time(
    client: dict[str, Any], prefix: str
) -> None:
    send(client, prefix, 0, 40)
    with closing(Inputs(client, prefix, TOPICS, {("first", 0): 5})) as inputs:
        ends = {(topic, number): 9 for topic in TOPICS for number in (0, 1)}
        rows = inputs.upto(ends)
        # of each partition 0 to 8, of the first 5 to 8: number = 4 * offset + place
        place = {("first", 0): 0, ("second", 0): 1, ("first", 1): 2, ("second", 1): 3}
        wanted = sorted(
            4 * offset + place[one]
            for one in ends
            for offset in range(5 if one == ("first", 0) else 0, 9)
        )
        assert values(rows) == wanted
        assert inputs.positions == ends


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), max_size=12))
def test_within_a_partition_the_offset_alone_counts(told: list[tuple[int, int]]) -> None:
    """Also where the broker's clock went back."""

    class Record:
        def __init__(self, offset: int, timestamp: int) -> None:
            self.offset, self.timestamp = offset, timestamp

    inputs = object.__new__(Inputs)
    inputs._prefix, inputs._rank = "p.", {"first": 0, "second": 1}
    polled: dict[TopicPartition, list[Any]] = {}
    for topic, timestamp in told:
        records = polled.setdefault(TopicPartition(f"p.{TOPICS[topic]}", 0), [])
        records.append(Record(len(records), timestamp))
    ordered = inputs._ordered(polled)
    assert len(ordered) == len(told)
    for records in polled.values():
        assert [one for one in ordered if one in records] == records
