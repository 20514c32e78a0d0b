"""What the serve workers say of the catalogue's titles: how much of them the encoder knows."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition

from encoders import Tokens
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

__all__ = ["newest_figures", "title_line"]

LAST = 100  # records of `metrics`, where each worker has one a second
READ_SECONDS = 10.0


def title_line(figures: Iterable[dict[str, Any]]) -> str:
    """One line for `doctor`. figures: of workers, oldest first; the last that counted titles
    holds.
    """
    seen = Tokens()
    for one in figures:
        if one.get("title_tokens"):
            seen = Tokens(one["title_tokens"], one["unknown_title_tokens"])
    if not seen.total:
        return "no worker has counted the catalogue's words lately"
    return f"warning: {seen.advice}" if seen.advice else f"{seen.share:.1%} of their words unknown"


def newest_figures(kafka: KafkaSettings) -> list[dict[str, Any]]:
    """The last records of `metrics`, oldest first; none where there is no such topic. Raises what
    Kafka's client raises.
    """
    consumer = KafkaConsumer(
        isolation_level="read_committed",
        group_id=None,
        enable_auto_commit=False,
        **client_options(kafka),
    )
    try:
        partition = TopicPartition(kafka.prefix + Topic.METRICS, 0)
        if not consumer.partitions_for_topic(partition.topic):
            return []
        consumer.assign([partition])
        first = consumer.beginning_offsets([partition])[partition]
        end = consumer.end_offsets([partition])[partition]
        consumer.seek(partition, max(first, end - LAST))
        found, deadline = [], monotonic() + READ_SECONDS
        while consumer.position(partition) < end and monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                found += [orjson.loads(record.value) for record in records]
        return found
    finally:
        consumer.close()
