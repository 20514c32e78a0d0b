"""How far the workers are behind: records appended to the topics of users and items that are not
acknowledged yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
)

from stream.broker.topics import no_broker
from upwell.events import Topic

__all__ = ["INPUT_TOPICS", "Backlog", "Lag"]

INPUT_TOPICS = (
    Topic.ITEMS,
    Topic.CLICKS,
    Topic.REVIEWS,
    Topic.QUERIES,
    Topic.IMPRESSIONS,
    Topic.REQUESTS,
    Topic.CONTROLS,
    Topic.REROUTED,
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """behind: records that wait. done: records worked off since some beginning; it moves with each
    of them.
    """

    behind: int
    done: int


class Lag:
    """Asks the broker; a context manager. Committed offsets trail the truth by at most the commit
    interval (half a second).

    All raise `BrokerError` when the broker does not answer.
    """

    def __init__(self, client_options: Mapping[str, Any], prefix: str) -> None:
        self._prefix = prefix
        self._options = client_options
        with self._answering():
            self._admin = KafkaAdminClient(**client_options)
            self._consumer = KafkaConsumer(
                isolation_level="read_committed", group_id=None, **client_options
            )

    def __enter__(self) -> Lag:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()
        self._admin.close()

    def ends(self, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
        """Where each partition ends now: the offset of the next record."""
        with self._answering():
            partitions = [
                TopicPartition(self._prefix + topic, number)
                for topic in topics
                for number in sorted(
                    self._consumer.partitions_for_topic(self._prefix + topic) or ()
                )
            ]
            ends: dict[TopicPartition, int] = self._consumer.end_offsets(partitions)
            return ends

    def behind(self, topics: Sequence[Topic] = INPUT_TOPICS) -> int:
        """Records that the serve workers have not acknowledged."""
        return sum(waiting for waiting, _ in self._positions(topics).values())

    def backlog(self, own: Collection[tuple[str, int]]) -> Backlog:
        """Of the partitions `own` (topic, number); of all where a worker has none, as in a
        rebalance that does not end.
        """
        positions = self._positions(INPUT_TOPICS)
        held = [found for partition, found in positions.items() if tuple(partition) in own] or list(
            positions.values()
        )
        return Backlog(
            sum(waiting for waiting, _ in held), sum(acknowledged for _, acknowledged in held)
        )

    def acknowledged(self) -> dict[TopicPartition, int]:
        """Of each input partition the offset from which a restarted worker goes on."""
        return {
            partition: offset for partition, (_, offset) in self._positions(INPUT_TOPICS).items()
        }

    def _positions(self, topics: Sequence[Topic]) -> dict[TopicPartition, tuple[int, int]]:
        """Of each partition how many records wait, and the acknowledged offset."""
        with self._answering():
            committed = self._committed(self._prefix + "serve")
        ends = self.ends(topics)
        acknowledged = {partition: max(_offset(committed.get(partition)), 0) for partition in ends}
        return {
            partition: (end - acknowledged[partition], acknowledged[partition])
            for partition, end in ends.items()
        }

    def _committed(self, group: str) -> dict[TopicPartition, Any]:
        try:
            committed: dict[TopicPartition, Any] = self._admin.list_group_offsets(group).get(
                group, {}
            )
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            # a broker that has just started, or on which no group has committed anything yet
            return {}
        return committed

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except KafkaError as exc:
            raise no_broker(self._options, exc) from exc


def _offset(committed: Any) -> int:
    return 0 if committed is None else int(committed.offset)
