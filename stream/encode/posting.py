"""The way to the encode workers over Kafka: texts go out by one producer, and a thread reads the
answers on one partition of `vectors`, from where it ended when this began.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import AuthorizationError, KafkaError, RetriableError

from stream.broker.feeds import FETCH_BYTES
from stream.broker.topics import no_broker
from stream.encode.topics import EncodeTopic
from stream.encode.wire import Answer, Asked
from upwell.errors import BrokerError
from upwell.system.offsets import ends_of
from upwell.system.threads import start_thread

__all__ = ["KafkaPost"]

POLL_MS = 500
"""That an idle reader waits, and `close` for it; records end a poll at once."""

log = logging.getLogger("upwell.encode")


class KafkaPost:
    """A `stream.encode.asking.Post`. to: the partition of `vectors` that is read; take: is given
    what comes there. Raises `BrokerError` where the topics cannot be read.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        prefix: str,
        to: int,
        take: Callable[[Sequence[Answer]], None],
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._take = take
        self._stopping = threading.Event()
        self.failure: BaseException | None = None
        try:
            self._producer = KafkaProducer(acks="all", **client)
            self._consumer = self._reader(TopicPartition(prefix + EncodeTopic.VECTORS, to))
        except KafkaError as exc:
            raise no_broker(client, exc) from exc
        self._thread = start_thread("read-vectors", self._read_on, self._failed)

    def send(self, topic: EncodeTopic, asked: Sequence[Asked]) -> None:
        """Returns before the broker has them: what does not come to it is asked for again. Raises
        `BrokerError` where it may not be sent.
        """
        try:
            for one in asked:
                sent = self._producer.send(
                    self._prefix + topic,
                    value=one.value,
                    key=one.key,
                    headers=list(one.headers),
                )
                sent.add_errback(self._not_sent)
        except RetriableError as exc:  # away for a minute: asked for again
            log.warning("texts could not be sent (%s): they are sent again", type(exc).__name__)
        except KafkaError as exc:
            raise no_broker(self._client, exc) from exc

    def close(self) -> None:
        """May be called twice."""
        self._stopping.set()
        self._thread.join()
        self._producer.close(timeout=1)

    def _reader(self, partition: TopicPartition) -> KafkaConsumer:
        consumer = KafkaConsumer(
            isolation_level="read_committed",
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            **self._client,
        )
        if partition.partition not in (consumer.partitions_for_topic(partition.topic) or ()):
            consumer.close()
            raise BrokerError(f"topic {partition.topic} does not exist: start again")
        consumer.assign([partition])
        # nothing that is asked from here on is answered before this
        consumer.seek(partition, ends_of(consumer, [partition])[partition])
        return consumer

    def _read_on(self) -> None:
        with closing(self._consumer) as consumer:
            while not self._stopping.is_set():
                try:
                    polled = consumer.poll(timeout_ms=POLL_MS)
                except RetriableError:  # away, as where a poll finds no broker: it goes on
                    self._stopping.wait(POLL_MS / 1000)
                    continue
                for records in polled.values():
                    self._take([one for record in records for one in _answers(record)])

    def _failed(self, exc: BaseException) -> None:
        self.failure = exc

    def _not_sent(self, exc: BaseException) -> None:
        if isinstance(exc, AuthorizationError):
            self.failure = BrokerError(
                f"the broker refuses: {exc}; docs/security.md lists the rights"
            )


def _answers(record: Any) -> list[Answer]:
    """One, or none where somebody else wrote it: who waits goes on waiting."""
    try:
        return [Answer.read(record.key, record.value, dict(record.headers or ()))]
    except BrokerError as exc:
        log.warning("vectors, offset %d: %s", record.offset, exc)
        return []
