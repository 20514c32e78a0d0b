"""Broadcast readers: a whole topic read by every process, from its start, on a thread of its own.

`catalogue` and `models` are read so. What was read waits in a queue until the thread that owns the
state drains it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, RetriableError

from stream.chain.records import BroadcastRecord
from upwell.connection import check_login, refusal
from upwell.errors import BrokerError
from upwell.system.offsets import beginnings_of, ends_of
from upwell.system.threads import start_thread

__all__ = ["FETCH_BYTES", "Broadcast", "read_partition"]

POLL_MS = 500
"""That an idle reader waits, and `stop` for it; records end a poll at once."""
FETCH_MS = 2_000
"""That the broker holds a question to which there is no answer yet; a record is told at once."""
FETCH_BYTES = 32 << 20


class Broadcast:
    """Reads all partitions of `topic`. `start` blocks until what stood there has been read; `drain`
    gives what came since.

    `drain` and `waiting` raise `BrokerError` once the reading thread has ended by an error.
    """

    def __init__(self, topic: str, client_options: Mapping[str, Any]) -> None:
        self._topic = topic
        self._options = dict(client_options)
        self._queue: SimpleQueue[BroadcastRecord] = SimpleQueue()
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._consumer: KafkaConsumer | None = None

    def start(self, last: int | None = None) -> None:
        """Read up to the end as it stands now, then go on in the background. last: only the newest
        so many offsets of each partition; None for all.

        Raises `BrokerError`.
        """
        check_login(self._options)
        try:
            self._consumer = KafkaConsumer(
                isolation_level="read_committed",
                group_id=None,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_bytes=FETCH_BYTES,
                max_poll_records=2_000,
                fetch_max_wait_ms=FETCH_MS,
                **self._options,
            )
            numbers = sorted(self._consumer.partitions_for_topic(self._topic) or ())
            partitions = [TopicPartition(self._topic, number) for number in numbers]
            self._consumer.assign(partitions)
            ends = ends_of(self._consumer, partitions)
            starts = beginnings_of(self._consumer, partitions)
            for partition in partitions:
                newest = 0 if last is None else ends[partition] - last
                self._consumer.seek(partition, max(starts[partition], newest))
            while any(self._consumer.position(partition) < end for partition, end in ends.items()):
                self._poll()
        except KafkaError as exc:
            unread = BrokerError(
                f"topic {self._topic}: cannot be read: {exc}; is the broker up, and were "
                "the topics made?"
            )
            raise refusal(self._options) or unread from exc
        self._thread = start_thread(f"read-{self._topic}", self._read_on, self._failed)

    def drain(self) -> Iterator[BroadcastRecord]:
        """What has been read and not drained yet."""
        self._raise_failure()
        while True:
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    @property
    def waiting(self) -> int:
        """Records that were read and not drained yet."""
        self._raise_failure()
        return self._queue.qsize()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._consumer is not None:
            self._consumer.close()

    def _read_on(self) -> None:
        while not self._stopping.is_set():
            try:
                self._poll()
            except RetriableError:  # away, as where a poll finds no broker: it goes on
                self._stopping.wait(POLL_MS / 1000)

    def _failed(self, exc: BaseException) -> None:
        self._failure = exc

    def _raise_failure(self) -> None:
        """kafka-python raises more than `KafkaError`: RuntimeError, ValueError, OSError."""
        if self._failure is not None:
            why = f"{type(self._failure).__name__}: {self._failure}"
            raise BrokerError(
                f"topic {self._topic}: reading stopped: {why}; start again"
            ) from self._failure

    def _poll(self) -> None:
        assert self._consumer is not None
        for records in self._consumer.poll(timeout_ms=POLL_MS).values():
            for record in records:
                self._queue.put(
                    BroadcastRecord(
                        record.partition,
                        record.offset,
                        record.key,
                        record.value,
                        dict(record.headers or ()),
                        record.timestamp,
                    )
                )


def read_partition(
    client: Mapping[str, Any], partition: TopicPartition, start: int
) -> Iterator[Any]:
    """The records of a partition from `start`, or from the first one after it that is still there,
    to the end as it stands now.

    Raises `KafkaError`, `BrokerError` where there is no such topic.
    """
    consumer = KafkaConsumer(
        isolation_level="read_committed",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **client,
    )
    try:
        if partition.partition not in (consumer.partitions_for_topic(partition.topic) or ()):
            raise BrokerError(
                f"topic {partition.topic} does not exist: has `upwell run` been started on "
                "this broker?"
            )
        consumer.assign([partition])
        end = ends_of(consumer, [partition])[partition]
        consumer.seek(partition, max(start, beginnings_of(consumer, [partition])[partition]))
        while consumer.position(partition) < end:
            yield from consumer.poll(timeout_ms=POLL_MS).get(partition, ())
    finally:
        consumer.close()
