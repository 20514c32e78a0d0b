"""How far back the topics reach: what stands on them no longer cannot be delivered any more."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.lag import INPUT_TOPICS
from stream.broker.topics import no_broker

__all__ = ["oldest_record_ms", "warn_removed"]

log = logging.getLogger("upwell.retention")


def oldest_record_ms(client: Mapping[str, Any], prefix: str) -> int | None:
    """When the oldest record that an input topic still holds was appended, UTC ms; None where they
    hold none. Raises `BrokerError`.
    """
    try:
        with closing(
            KafkaConsumer(isolation_level="read_committed", group_id=None, **client)
        ) as consumer:
            partitions = [
                TopicPartition(prefix + topic, number)
                for topic in INPUT_TOPICS
                for number in consumer.partitions_for_topic(prefix + topic) or ()
            ]
            firsts = consumer.offsets_for_times(dict.fromkeys(partitions, 0))
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    return min((first.timestamp for first in firsts.values() if first is not None), default=None)


def warn_removed(removed: Mapping[TopicPartition, int]) -> None:
    """One warning, where anything was. removed: of each partition the offsets before its first one
    that were not read; markers of transactions are among them.
    """
    if removed:
        log.warning(
            "removed before they were read, by retention or by hand: up to %s; what they would "
            "have changed is lost, and reading goes on behind them",
            ", ".join(
                f"{count} records of {partition.topic}[{partition.partition}]"
                for partition, count in sorted(removed.items())
            ),
        )
