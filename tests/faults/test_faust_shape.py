"""The shape of Faust's guide loses events when one of them fails, ours does not: an upgrade of
Faust that changes this shows here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)

from stream.broker.topics import ensure_topics
from tests.faults.engine import wait_until
from tests.faults.faust_shapes import GUIDE, OURS, group, start_shape
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

EVENTS = 400
FAILING = b"200"


@pytest.mark.timeout(400)
def test_the_guides_shape_acknowledges_what_it_has_not_sent(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    lost = lost_by(GUIDE, kafka, prefix, tmp_path / "failed")
    assert FAILING in lost, (
        "Faust delivers again what failed: the agents' own shape may be needless"
    )
    assert len(lost) > 1


def test_ours_loses_nothing(kafka: str, prefix: str, tmp_path: Path) -> None:
    assert lost_by(OURS, kafka, prefix, tmp_path / "failed") == set()


def lost_by(shape: str, kafka: str, prefix: str, mark: Path) -> set[bytes]:
    """The events that are acknowledged and were never sent on, by a worker that is started again
    whenever it ends.
    """
    settings = KafkaSettings(address=kafka, prefix=prefix)
    ensure_topics(prefix, settings.partitions, client_options(settings))
    events = {str(number).encode() for number in range(EVENTS)}
    producer = KafkaProducer(bootstrap_servers=kafka)
    for event in sorted(events):
        producer.send(prefix + Topic.CLICKS, key=event, value=event)
    producer.flush()
    producer.close()
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    worker = start_shape(shape, kafka, prefix, FAILING, mark)

    def acknowledged() -> bool:
        nonlocal worker
        if worker.exitcode is not None:
            worker = start_shape(shape, kafka, prefix, FAILING, mark)
        try:
            committed = admin.list_group_offsets(group(shape, prefix)).get(group(shape, prefix), {})
        except (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError):
            return False  # the broker has just started
        return sum(max(int(one.offset), 0) for one in committed.values()) >= EVENTS

    try:
        wait_until(acknowledged, f"all events to be acknowledged by shape {shape}")
    finally:
        worker.kill()
        worker.join()
        admin.close()
    assert mark.exists()
    return events - sent_on(kafka, prefix + Topic.RECOMMENDATIONS)


def sent_on(kafka: str, topic: str) -> set[bytes]:
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partitions = [
        TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))
    ]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    values: set[bytes] = set()
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        values |= {
            record.value for records in consumer.poll(timeout_ms=50).values() for record in records
        }
    consumer.close()
    return values
