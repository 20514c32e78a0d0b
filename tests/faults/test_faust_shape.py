"""The obvious Faust shape loses events after `kill -9`, the one of `stream.agents` does not: an upgrade that changes this shows here."""

from __future__ import annotations

from functools import partial

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from tests.faults.engine import wait_until
from tests.faults.faust_shapes import PARTITIONS, group, start_shape

EVENTS = 4_000
KILL_AT = (800, 2_000)
"""Outputs seen before each kill."""
TRIES = 5
"""Runs of the table shape, one of which must lose something: of 12 runs that were measured, 8 did."""


class Forwarded:
    """What has come out so far."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=kafka, group_id=None, auto_offset_reset="earliest", enable_auto_commit=False)
        self._partitions = [TopicPartition(f"{prefix}out", number) for number in range(PARTITIONS)]
        self._consumer.assign(self._partitions)
        self.values: set[int] = set()

    def reached(self, count: int) -> bool:
        for records in self._consumer.poll(timeout_ms=20).values():
            self.values |= {int(record.value) for record in records}
        return len(self.values) >= count

    def read_to_end(self) -> None:
        ends = self._consumer.end_offsets(self._partitions)
        while any(self._consumer.position(partition) < end for partition, end in ends.items()):
            self.reached(EVENTS)

    def close(self) -> None:
        self._consumer.close()


class Kafka:
    """The administration of one run."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._admin = KafkaAdminClient(bootstrap_servers=kafka)
        self._prefix = prefix
        names = [f"{prefix}in", f"{prefix}out"]
        self._admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1) for name in names])
        self._admin.wait_for_topics(names)

    def acknowledged(self, shape: str) -> int:
        name = group(shape, self._prefix)
        committed = self._admin.list_group_offsets(name).get(name, {})
        return sum(max(int(one.offset), 0) for partition, one in committed.items() if partition.topic == f"{self._prefix}in")

    def close(self) -> None:
        self._admin.close()


def lost(shape: str, kafka: str, prefix: str) -> int:
    """Events that never come out, though a worker that was killed and started again has acknowledged them all."""
    admin, forwarded = Kafka(kafka, prefix), Forwarded(kafka, prefix)
    produce(kafka, f"{prefix}in")
    try:
        for seen in KILL_AT:
            worker = start_shape(shape, kafka, prefix)
            wait_until(partial(forwarded.reached, seen), f"{seen} events of shape {shape}")
            worker.kill()
            worker.join()
        worker = start_shape(shape, kafka, prefix)
        wait_until(lambda: admin.acknowledged(shape) >= EVENTS, f"the end of shape {shape}")
        worker.kill()
        worker.join()
        forwarded.read_to_end()
    finally:
        forwarded.close()
        admin.close()
    return EVENTS - len(forwarded.values)


def produce(kafka: str, topic: str) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka, linger_ms=5)
    for number in range(EVENTS):
        producer.send(topic, key=str(number % 200).encode(), value=str(number).encode())
    producer.flush()
    producer.close()


@pytest.mark.timeout(400)
def test_a_table_loses_events_after_a_kill(kafka: str, prefix: str) -> None:
    assert any(lost("table", kafka, f"{prefix}{number}.") for number in range(TRIES)), "Faust with a Table lost nothing: is it mended?"


@pytest.mark.timeout(180)
def test_own_acknowledgements_lose_nothing(kafka: str, prefix: str) -> None:
    assert lost("own-acks", kafka, prefix) == 0
