"""What stands of people's decisions on one partition, for the worker that goes on writing there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.topics import no_broker
from stream.chain.audit.entry import AuditEntry
from stream.chain.audit.journal import TAIL, Stood
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.record import decode_kept
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.system.offsets import ends_of

__all__ = ["read_stood"]


def read_stood(client: Mapping[str, Any], prefix: str, partition: int) -> Stood:
    """The overrides of a partition and the newest entries of its log. Raises `BrokerError`."""
    try:
        audit = TopicPartition(prefix + Topic.AUDIT, partition)
        entries = [
            _entry(record)
            for record in read_partition(client, audit, max(0, _end(client, audit) - TAIL))
        ]
        kept: dict[str, Kept] = {}
        overrides = TopicPartition(prefix + Topic.OVERRIDES, partition)
        for record in read_partition(client, overrides, 0):
            override_id = (record.key or b"").decode()
            if record.value is None:
                kept.pop(override_id, None)
            else:
                kept[override_id] = decode_kept(record.value)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    return Stood(kept, tuple(entries))


def _entry(record: Any) -> AuditEntry:
    try:
        return AuditEntry.read(record.value)
    except ValueError as exc:
        raise BrokerError(
            f"topic audit, partition {record.partition}, offset {record.offset}: {exc}; who else "
            "writes to that topic? `upwell audit verify` says more"
        ) from exc


def _end(client: Mapping[str, Any], partition: TopicPartition) -> int:
    consumer = KafkaConsumer(isolation_level="read_committed", group_id=None, **client)
    try:
        return int(ends_of(consumer, [partition])[partition])
    finally:
        consumer.close()
