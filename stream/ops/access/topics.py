"""Topics read whole, from what their retention left to their ends as they stand, by one consumer.
It knows nothing about users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import FETCH_BYTES
from stream.broker.topics import no_broker
from stream.replay.progress import Moved, unwatched
from upwell.events import Topic
from upwell.system.offsets import beginnings_of, ends_of
from upwell.uses.topics import UseTopic

__all__ = ["Standing", "read_topics"]

POLL_MS = 500
T = TypeVar("T", bound=Topic | UseTopic)


@dataclass(frozen=True, slots=True)
class Standing(Generic[T]):
    """A record where it stands. appended_ms: UTC ms."""

    topic: T
    partition: int
    offset: int
    appended_ms: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> str:
        """Topic, partition and offset as one name, the same for the same record."""
        return f"{self.topic}-{self.partition}-{self.offset}"


def read_topics(
    client: Mapping[str, Any],
    prefix: str,
    topics: Sequence[T],
    moved: Moved = unwatched,
    since: Mapping[T, int] | None = None,
) -> Iterator[Standing[T]]:
    """Of each partition in the order of offsets; a topic that there is not yet has none. moved: is
    told of records. since: of a topic when the first record was appended that is wanted, UTC ms.
    Raises `BrokerError`.
    """
    try:
        with closing(
            KafkaConsumer(
                isolation_level="read_committed",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=FETCH_BYTES,
                max_poll_records=5_000,
                **client,
            )
        ) as consumer:
            yield from _read(consumer, prefix, topics, moved, since or {})
    except KafkaError as exc:
        raise no_broker(client, exc) from exc


def _read(
    consumer: KafkaConsumer,
    prefix: str,
    topics: Sequence[T],
    moved: Moved,
    since: Mapping[T, int],
) -> Iterator[Standing[T]]:
    partitions = [
        TopicPartition(prefix + topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(prefix + topic) or ())
    ]
    if not partitions:
        return
    consumer.assign(partitions)
    starts, ends = beginnings_of(consumer, partitions), ends_of(consumer, partitions)
    wanted = {prefix + topic: at for topic, at in since.items()}
    times = {one: wanted[one.topic] for one in partitions if one.topic in wanted}
    for partition, found in (consumer.offsets_for_times(times) if times else {}).items():
        starts[partition] = ends[partition] if found is None else found.offset
    for partition in partitions:
        consumer.seek(partition, starts[partition])
    total = sum(ends[one] - starts[one] for one in partitions)
    left = {one for one in partitions if starts[one] < ends[one]}
    named = {prefix + topic: topic for topic in topics}
    while left:
        for partition, records in consumer.poll(timeout_ms=POLL_MS).items():
            for one in records:
                if one.offset < ends[partition]:
                    yield Standing(
                        named[partition.topic],
                        one.partition,
                        one.offset,
                        one.timestamp,
                        one.key,
                        one.value,
                    )
        at_end = {one for one in left if consumer.position(one) >= ends[one]}
        left -= at_end
        if at_end:
            consumer.pause(*at_end)
        done = sum(min(consumer.position(one), ends[one]) - starts[one] for one in partitions)
        moved("records read", done, total)
