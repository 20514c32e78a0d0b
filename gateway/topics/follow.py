"""Follows what Upwell publishes, on a thread of its own: lists, dead letters, confirmations, and
the requests to forget.

Of lists and letters no more is read at the start than is held. It knows nothing about what is done
with a record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, RetriableError

from gateway.topics.letters import MOST_LETTERS
from stream.broker.topics import no_broker
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.system.offsets import beginnings_of, ends_of
from upwell.system.threads import start_thread

__all__ = ["FOLLOWED", "TopicFollower"]

POLL_MS = 250
FETCH_MS = 2_000
"""That the broker holds a question to which there is no answer yet; a record is told at once."""
LOOK_SECONDS = 2.0
STALE_SECONDS = 10.0
"""Without a word of the broker for so long, nothing is known of what was published."""
FOLLOWED = (
    Topic.RECOMMENDATIONS,
    Topic.DEAD_LETTERS,
    Topic.CONFIRMATIONS,
    Topic.CONTROLS,
    Topic.METRICS,
)

Deliver = Callable[[Sequence[Any]], object]


class TopicFollower:
    """deliver: is given kafka-python's records, on the thread that reads. lists: how many of the
    newest are read at the start. failed: is told what ended the reading.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        prefix: str,
        lists: int,
        deliver: Deliver,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._lists = lists
        self._deliver = deliver
        self._failed = failed
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._consumer: KafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []
        self._looked = 0.0

    def start(self) -> None:
        """Returns when all that stood there at the call is delivered: more comes all the time.
        Raises `BrokerError`.
        """
        try:
            self._consumer = KafkaConsumer(
                isolation_level="read_committed",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=FETCH_MS,
                **self._client,
            )
            ends = self._position(self._consumer)
            while any(self._consumer.position(one) < end for one, end in ends.items()):
                self._poll()
            self._look()
        except KafkaError as exc:
            raise no_broker(self._client, exc) from exc
        self._thread = start_thread("gateway-follow", self._read_on, self._failed)

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._consumer is not None:
            self._consumer.close()

    def shortcoming(self) -> str | None:
        """Why what is known may be old; None where it is not."""
        silent = self.silent_seconds
        if silent > STALE_SECONDS:
            return f"the broker has not answered for {silent:.0f} s"
        return None

    @property
    def silent_seconds(self) -> float:
        """Since the broker last answered. Once it has started."""
        return time.monotonic() - self._looked

    def _position(self, consumer: KafkaConsumer) -> Mapping[TopicPartition, int]:
        """Where each partition ends."""
        for topic in FOLLOWED:
            numbers = sorted(consumer.partitions_for_topic(self._prefix + topic) or ())
            if not numbers:
                raise BrokerError(
                    f"topic {self._prefix}{topic} does not exist: has `upwell run` been started on "
                    "this broker?"
                )
            self._partitions += [TopicPartition(self._prefix + topic, one) for one in numbers]
        consumer.assign(self._partitions)
        starts = beginnings_of(consumer, self._partitions)
        ends = ends_of(consumer, self._partitions)
        for partition in self._partitions:
            start, end = starts[partition], ends[partition]
            topic = partition.topic.removeprefix(self._prefix)
            if topic == Topic.RECOMMENDATIONS:
                start = max(start, end - self._lists)
            elif topic == Topic.DEAD_LETTERS:
                start = max(start, end - MOST_LETTERS)
            elif topic != Topic.CONTROLS:
                start = end
            consumer.seek(partition, start)
        return dict(ends)

    def _read_on(self) -> None:
        while not self._stopping.is_set():
            try:
                self._poll()
            except RetriableError:  # it is away: `shortcoming` says so until it is back
                self._stopping.wait(POLL_MS / 1000)
            if time.monotonic() - self._looked > LOOK_SECONDS:
                try:
                    self._look()
                except KafkaError:  # away as well
                    self._stopping.wait(POLL_MS / 1000)

    def _poll(self) -> None:
        assert self._consumer is not None
        for records in self._consumer.poll(timeout_ms=POLL_MS).values():
            self._deliver(records)

    def _look(self) -> None:
        """The broker answers."""
        assert self._consumer is not None
        ends_of(self._consumer, self._partitions)
        self._looked = time.monotonic()
