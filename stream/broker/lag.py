"""How far the workers are behind: records appended to the topics of users and items that are not
acknowledged yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
)

from stream.broker.gaps import Gaps
from stream.broker.topics import no_broker
from upwell.events import Topic
from upwell.system.offsets import beginnings_of, ends_of

__all__ = ["INPUT_TOPICS", "Backlog", "Lag"]

INPUT_TOPICS = (
    Topic.ITEMS,
    Topic.CLICKS,
    Topic.REVIEWS,
    Topic.QUERIES,
    Topic.IMPRESSIONS,
    Topic.REQUESTS,
    Topic.CONTROLS,
    Topic.KNOWLEDGE,
    Topic.REROUTED,
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """behind: offsets that wait. done: offsets worked off since some beginning; it moves with each
    of them. topics: offsets that wait on own partitions, by topic without its prefix.
    """

    behind: int
    done: int
    topics: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the group stands on a partition. committed: None before its first commit. start: the
    first offset that is still there. behind: offsets that wait, 0 where no record is among them.
    """

    committed: int | None
    start: int
    behind: int

    @property
    def next(self) -> int:
        return max(self.committed or 0, self.start)


class Lag:
    """Asks the broker; a context manager. Committed offsets trail the truth by at most the commit
    interval (half a second).

    Only what a worker can be given counts: neither a transaction that is open or was aborted, nor
    its markers, nor what retention has removed.

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
            self._gaps = Gaps(client_options)

    def __enter__(self) -> Lag:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._gaps.close()
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
            ends: dict[TopicPartition, int] = ends_of(self._consumer, partitions)
            return ends

    def behind(self, topics: Sequence[Topic] = INPUT_TOPICS) -> int:
        """Offsets that the serve workers have not acknowledged, where a record is among them."""
        return sum(place.behind for place in self._places(topics).values())

    def backlog(self, own: Collection[tuple[str, int]]) -> Backlog:
        """Of the partitions `own` (topic, number); of all where a worker has none, as in a
        rebalance that does not end.
        """
        places = self._places(INPUT_TOPICS)
        held = [found for partition, found in places.items() if tuple(partition) in own] or list(
            places.values()
        )
        topics: Counter[str] = Counter()
        for partition, place in places.items():
            if tuple(partition) in own:
                topics[partition.topic.removeprefix(self._prefix)] += place.behind
        return Backlog(
            sum(place.behind for place in held), sum(place.committed or 0 for place in held), topics
        )

    def acknowledged(self) -> dict[TopicPartition, int]:
        """Of each input partition the offset from which a restarted worker goes on."""
        return {partition: place.next for partition, place in self._places(INPUT_TOPICS).items()}

    def removed_unread(self) -> dict[TopicPartition, int]:
        """Of each input partition how many offsets, if any, were removed from its start before the
        group came to them: no worker will see what stood there.
        """
        return {
            partition: place.start - place.committed
            for partition, place in self._places(INPUT_TOPICS).items()
            if place.committed is not None and place.start > place.committed
        }

    def _places(self, topics: Sequence[Topic]) -> dict[TopicPartition, _Place]:
        with self._answering():
            committed = self._committed(self._prefix + "serve")
            stable = self.ends(topics)
            starts = beginnings_of(self._consumer, list(stable))
            found = {
                partition: _Place(_offset(committed.get(partition)), starts[partition], 0)
                for partition in stable
            }
            waiting = self._gaps.with_record(
                {partition: (found[partition].next, end) for partition, end in stable.items()}
            )
        return {
            partition: replace(place, behind=stable[partition] - place.next)
            if partition in waiting
            else place
            for partition, place in found.items()
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


def _offset(committed: Any) -> int | None:
    return None if committed is None or committed.offset < 0 else int(committed.offset)
