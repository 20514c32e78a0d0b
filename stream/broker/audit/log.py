"""All of the audit log, in the order of each partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.incarnations import require_topics
from stream.broker.topics import no_broker
from upwell.events import Topic

__all__ = ["read_log"]


def read_log(client: Mapping[str, Any], prefix: str) -> Iterator[tuple[int, int, bytes | None]]:
    """Partition, offset and value of each record that stands there now. Raises `BrokerError`."""
    require_topics(client, prefix, [Topic.AUDIT])
    try:
        consumer = KafkaConsumer(isolation_level="read_committed", group_id=None, **client)
        try:
            numbers = sorted(consumer.partitions_for_topic(prefix + Topic.AUDIT) or ())
        finally:
            consumer.close()
        for number in numbers:
            for one in read_partition(client, TopicPartition(prefix + Topic.AUDIT, number), 0):
                yield number, one.offset, one.value
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
