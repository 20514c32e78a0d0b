"""All of the audit log, in the order of each partition, and what stands of overrides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.incarnations import require_topics
from stream.broker.topics import no_broker
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.record import decode_kept
from upwell.events import Topic

__all__ = ["read_log", "read_overrides"]


def read_log(client: Mapping[str, Any], prefix: str) -> Iterator[tuple[int, int, bytes | None]]:
    """Partition, offset and value of each record that stands there now. Raises `BrokerError`."""
    for number, one in _records(client, prefix, Topic.AUDIT):
        yield number, one.offset, one.value


def read_overrides(client: Mapping[str, Any], prefix: str) -> dict[str, Kept]:
    """What stands of each override_id now. Raises `BrokerError`."""
    found: dict[str, Kept] = {}
    for _, one in _records(client, prefix, Topic.OVERRIDES):
        override_id = (one.key or b"").decode()
        if one.value is None:
            found.pop(override_id, None)
        else:
            found[override_id] = decode_kept(one.value)
    return found


def _records(client: Mapping[str, Any], prefix: str, topic: Topic) -> Iterator[tuple[int, Any]]:
    """Each with its partition."""
    require_topics(client, prefix, [topic])
    try:
        consumer = KafkaConsumer(isolation_level="read_committed", group_id=None, **client)
        try:
            numbers = sorted(consumer.partitions_for_topic(prefix + topic) or ())
        finally:
            consumer.close()
        for number in numbers:
            for one in read_partition(client, TopicPartition(prefix + topic, number), 0):
                yield number, one
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
