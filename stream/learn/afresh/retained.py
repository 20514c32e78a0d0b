"""What `examples` still holds: read once more from its beginning, in the order in which it was
appended, and who of its users was forgotten behind what.

It knows nothing about learning.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain, takewhile
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from stream.broker.feeds import read_partition
from stream.chain.effects import Erasure
from stream.chain.wire import decode_examples
from upwell.events import Topic
from upwell.system import offsets
from upwell.values import Example

__all__ = ["Erased", "Read", "ends_of", "in_order", "part_of"]

Read = Callable[[int, int], Iterator[Any]]
"""(partition, first offset) -> its records from there to the end as it stands now."""


def part_of(client: Mapping[str, Any], prefix: str) -> Read:
    """Of the broker's `examples`. Raises `KafkaError`, `BrokerError` where there is none."""
    topic = prefix + Topic.EXAMPLES
    return lambda number, start: read_partition(client, TopicPartition(topic, number), start)


def ends_of(client: Mapping[str, Any], prefix: str) -> dict[int, int]:
    """Of each partition of `examples` the next offset that is not there yet. Raises
    `KafkaError`.
    """
    topic = prefix + Topic.EXAMPLES
    with closing(
        KafkaConsumer(isolation_level="read_committed", group_id=None, **client)
    ) as consumer:
        places = [
            TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
        ]
        return {one.partition: end for one, end in offsets.ends_of(consumer, places).items()}


def in_order(read: Read, starts: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Any]:
    """The records of each partition in `ends` from its start, or from its first one, to before its
    end: of two heads the one that was appended earlier, so that partitions come as they grew side
    by side. None where the reader may pause.
    """
    with ExitStack() as stack:
        parts = []
        for number in sorted(ends):
            start, end = starts.get(number, 0), ends[number]
            if start >= end:
                continue
            part = stack.enter_context(closing(_before(read(number, start), end)))
            parts.append(chain([one for one in (next(part, None),) if one is not None], part))
            yield None
        yield from merge(*parts, key=lambda one: (one.timestamp, one.partition))


def _before(records: Iterator[Any], end: int) -> Generator[Any, None, None]:
    yield from takewhile(lambda one: one.offset < end, records)


@dataclass
class Erased:
    """Behind which offset of a partition a user was forgotten, as far as `take` was told.

    reach: examples on an item that stand before `until`, by partition, each once.
    """

    until: Mapping[int, int]
    reach: int = 0
    _last: dict[tuple[int, str], int] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def take(self, record: Any) -> None:
        """The next record of its partition. Raises `BrokerError` where it is of another version."""
        found = decode_examples(record.value)
        if isinstance(found, Erasure):
            self._last[record.partition, found.user] = record.offset
        elif record.offset < self.until.get(record.partition, 0):
            for one in found:
                self._count(one)

    def before(self, partition: int, offset: int, user: str) -> bool:
        """Whether what stands there of this user (pseudonym) was to be forgotten afterwards."""
        return offset < self._last.get((partition, user), -1)

    def knows(self, partition: int, offset: int, user: str) -> bool:
        """Whether an erasure that stands there was taken."""
        return offset <= self._last.get((partition, user), -1)

    def _count(self, one: Example) -> None:
        if one.event.item_id is not None and one.offset > self._seen.get(one.source, -1):
            self._seen[one.source] = one.offset
            self.reach += 1
