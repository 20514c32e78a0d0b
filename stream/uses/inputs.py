"""The records of a use's topics, batch by batch: what is there, or exactly up to where an earlier
batch ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from stream.broker.away import Patience
from stream.broker.feeds import FETCH_BYTES
from stream.broker.retention import warn_removed
from stream.uses.steps import Place
from upwell.errors import BrokerError
from upwell.system.offsets import beginnings_of

__all__ = ["MOST_RECORDS", "Inputs"]

MOST_RECORDS = 256


class Inputs:
    """topics: without prefix, in the order in which records of the same time go. positions: the
    next offset of each place; of a place that is not named, the first one that is there.

    Raises `KafkaError`, `BrokerError`.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        prefix: str,
        topics: Sequence[str],
        positions: Mapping[Place, int],
    ) -> None:
        self._prefix = prefix
        self._rank = {topic: rank for rank, topic in enumerate(topics)}
        self._patience = Patience("uses")
        self._consumer = KafkaConsumer(
            isolation_level="read_committed",
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=MOST_RECORDS,
            max_partition_fetch_bytes=FETCH_BYTES,
            **client,
        )
        self._places = [
            TopicPartition(prefix + topic, number)
            for topic in topics
            for number in sorted(self._consumer.partitions_for_topic(prefix + topic) or ())
        ]
        self._consumer.assign(self._places)
        starts = beginnings_of(self._consumer, self._places)
        known = {one: positions.get(self.place(one), starts[one]) for one in self._places}
        warn_removed({one: starts[one] - at for one, at in known.items() if at < starts[one]})
        for one, at in known.items():
            self._consumer.seek(one, max(at, starts[one]))
        self.positions = {self.place(one): max(at, starts[one]) for one, at in known.items()}

    def place(self, partition: TopicPartition) -> Place:
        """Without the prefix."""
        return partition.topic.removeprefix(self._prefix), partition.partition

    def poll(self, timeout_ms: int) -> list[Any]:
        """A batch of what is there, in its order."""
        polled = self._patience.call(partial(self._consumer.poll, timeout_ms=timeout_ms))
        for partition, records in polled.items():
            self.positions[self.place(partition)] = records[-1].offset + 1
        return self._ordered(polled)

    def upto(self, ends: Mapping[Place, int], timeout_ms: int = 500) -> list[Any]:
        """The batch that ended at `ends`, in its order; without what the broker has removed."""
        found: dict[TopicPartition, list[Any]] = {}
        wanted = {one: ends[self.place(one)] for one in self._places if self.place(one) in ends}
        # not by pausing those that are there: kafka-python 3.0 may then never read the others again
        while any(self._at(one) < end for one, end in wanted.items()):
            polled = self._patience.call(partial(self._consumer.poll, timeout_ms=timeout_ms))
            for partition, records in polled.items():
                end = wanted.get(partition, self.positions[self.place(partition)])
                kept = [one for one in records if one.offset < end]
                found.setdefault(partition, []).extend(kept)
                if len(kept) < len(records):
                    self._consumer.seek(partition, end)
        self.positions |= {self.place(one): end for one, end in wanted.items()}
        return self._ordered(found)

    def close(self) -> None:
        self._consumer.close()

    def _at(self, partition: TopicPartition) -> int:
        at = self._patience.call(partial(self._consumer.position, partition))
        if at is None:
            raise BrokerError(f"{partition.topic} has no position: is the broker up?")
        return int(at)

    def _ordered(self, polled: Mapping[TopicPartition, Sequence[Any]]) -> list[Any]:
        """By the broker's time, then by topic, partition, offset. Within a partition the time never
        goes back but where the broker's clock did: there the offset alone counts.
        """
        rows: list[tuple[tuple[int, int, int, int], Any]] = []
        for partition, records in polled.items():
            topic, number = self.place(partition)
            latest = 0
            for one in records:
                latest = max(latest, one.timestamp)
                rows.append(((latest, self._rank[topic], number, one.offset), one))
        return [one for _, one in sorted(rows, key=lambda row: row[0])]
