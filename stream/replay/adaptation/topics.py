"""What the topics hold, as what fine-tuning needs: the newest text of each item, and what users did
as far back as the topics go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kafka import TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.topics import no_broker
from stream.chain.wire import decode_item
from stream.replay.adaptation.history import History, read_history
from stream.replay.log import LogRecord
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings
from upwell.values import CatalogueItem

__all__ = ["newest_items", "taught"]

_OF_USERS = (Topic.CLICKS, Topic.REVIEWS, Topic.QUERIES, Topic.CONTROLS)


def newest_items(kafka: KafkaSettings) -> dict[str, CatalogueItem]:
    """The newest entry of each item on `catalogue`, which is compacted: announcements themselves
    are cut off by time. Raises `BrokerError`.
    """
    found: dict[str, CatalogueItem] = {}
    for record in _records(kafka, Topic.CATALOGUE):
        if record.value:
            one = decode_item(record.value)
            found[one.item_id] = one
    return found


def taught(kafka: KafkaSettings, now_ms: int) -> History:
    """What users did, on these items. Raises `BrokerError`, and `LogError` where that is nothing.

    now_ms: UTC ms, against which times in the future are told.
    """
    lines = (record for topic in _OF_USERS for record in _records(kafka, topic))
    return read_history(lines, now_ms, newest_items(kafka))


def _records(kafka: KafkaSettings, topic: Topic) -> Iterator[LogRecord]:
    """Of all partitions, one after the other, to their ends as they stand now."""
    client = client_options(kafka)
    try:
        for number in range(kafka.partitions):
            for record in read_partition(client, TopicPartition(kafka.prefix + topic, number), 0):
                yield LogRecord(record.offset, topic, record.key, record.value or b"")
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
