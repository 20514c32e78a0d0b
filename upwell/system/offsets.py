"""Where partitions begin and end, as a broker says it.

Of a partition without a leader, as where a broker has just come back, kafka-python 3.0.12 has no
answer and raises KeyError for it. Here that is what it is: an error that passes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import LeaderNotAvailableError

__all__ = ["beginnings_of", "ends_of"]

Offsets = dict[TopicPartition, int]


def beginnings_of(consumer: KafkaConsumer, partitions: Collection[TopicPartition]) -> Offsets:
    """The offset of each one's first record. Raises `KafkaError`."""
    return _told(consumer.beginning_offsets, partitions)


def ends_of(consumer: KafkaConsumer, partitions: Collection[TopicPartition]) -> Offsets:
    """The offset of each one's next record. Raises `KafkaError`."""
    return _told(consumer.end_offsets, partitions)


def _told(
    ask: Callable[[list[TopicPartition]], Offsets], partitions: Collection[TopicPartition]
) -> Offsets:
    try:
        found = ask(list(partitions))
    except KeyError as exc:
        raise LeaderNotAvailableError(f"no leader of {exc} is known yet") from exc
    return found
