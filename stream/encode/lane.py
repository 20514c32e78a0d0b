"""One lane of an encode worker: the texts of one topic, a batch at a time, each answered before the
batch is committed.

A batch that was not committed comes again, to this worker or to another one, and has the same
answers: no transaction is needed. It knows neither models nor who asks.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import AuthorizationError, CommitFailedError, KafkaError, RetriableError

from encoders import in_bulk
from stream.broker.away import Patience
from stream.broker.feeds import FETCH_BYTES
from stream.encode.topics import EncodeTopic, group_of
from stream.encode.wire import Answer, Asked
from upwell.errors import BrokerError, SettingsError
from upwell.ports import Encoder
from upwell.system.clock import now_ms

__all__ = ["MOST_TEXTS", "STALE_MS", "Encoders", "Lane", "Reply", "replies"]

MOST_TEXTS = 128
"""Of a batch: as many as go through a model in one call."""
POLL_MS = 500
"""That an idle lane waits, and `stop` for it; records end a poll at once."""
SESSION_MS = 10_000
"""After which a worker that died leaves its partitions to the others."""
SEND_SECONDS = 60.0
STALE_MS = 300_000
"""Whoever still waits for an older text has asked for it again since
(`stream.encode.asking.AGAIN_SECONDS`).
"""

log = logging.getLogger("upwell.encode")


class Encoders(Protocol):
    """By what an encoder's vectors are decided by; as `stream.encode.models.Models`."""

    def of(self, vectors: str) -> Encoder: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and the partition of `vectors` that it goes to."""

    answer: Answer
    to: int


def replies(
    records: Sequence[Any], models: Encoders, bulk: bool, counts: Counter[str], at_ms: int
) -> list[Reply]:
    """Of a batch of texts; one call of the encoder for all that one encoder reads. records: as
    kafka-python gives them. counts: gains what was done. at_ms: UTC ms.

    What is no text, and what nobody waits for any more, is passed over, said and counted. Raises
    `SettingsError` where no model here is the one that is asked for, `EncoderError`.
    """
    by_encoder: dict[str, list[Asked]] = {}
    stale: dict[str, bool] = {}
    for record in records:
        try:
            one = Asked.read(record.value, dict(record.headers or ()))
        except BrokerError as exc:
            log.warning("%s, offset %d: %s", record.topic, record.offset, exc)
            counts["unreadable"] += 1
            continue
        by_encoder.setdefault(one.encoder, []).append(one)
        old = at_ms - record.timestamp > STALE_MS
        stale[one.encoder] = stale.get(one.encoder, True) and old
    found: list[Reply] = []
    for name, asked in by_encoder.items():
        try:
            model = models.of(name)
        except SettingsError as exc:
            if not stale[name]:
                raise
            log.warning("%d texts of some time ago are passed over: %s", len(asked), exc)
            counts["stale"] += len(asked)
            continue
        vectors = (in_bulk(model) if bulk else model).encode([one.text for one in asked])
        pairs = zip(asked, vectors, strict=True)
        found += [Reply(Answer(one.key, name, vector), one.to) for one, vector in pairs]
        counts["texts"] += len(asked)
    return found


class Lane:
    """topic: of texts. counts: what was done since the start, by `texts`, `unreadable`, `stale`.
    `run` blocks until `stop`.
    """

    def __init__(
        self,
        topic: EncodeTopic,
        models: Encoders,
        client: Mapping[str, Any],
        prefix: str,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._topic = topic
        self._models = models
        self._client = client
        self._prefix = prefix
        self._clock_ms = clock_ms
        self._patience = Patience(f"encode ({topic})")
        self._stopping = threading.Event()
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        """Raises `BrokerError` where the broker is gone for good, and what `replies` raises."""
        try:
            with closing(self._consumer()) as consumer, closing(self._producer()) as producer:
                while not self._stopping.is_set():
                    polled = self._patience.call(partial(consumer.poll, timeout_ms=POLL_MS))
                    records = [one for found in polled.values() for one in found]
                    if records:
                        self._answer(records, producer)
                        self._commit(consumer)
        except AuthorizationError as exc:
            raise BrokerError(
                f"encode: the broker refuses: {exc}; docs/security.md lists the rights"
            ) from exc
        except KafkaError as exc:
            raise BrokerError(
                f"encode: the broker does not answer: {exc}; start it and start this again"
            ) from exc

    def stop(self) -> None:
        """Returns at once; the batch that is being encoded is finished."""
        self._stopping.set()

    def _answer(self, records: Sequence[Any], producer: Any) -> None:
        """Returns when the broker has all answers."""
        bulk = self._topic is EncodeTopic.ITEM_TEXTS
        found = replies(records, self._models, bulk, self.counts, self._clock_ms())
        sent = [
            producer.send(
                self._prefix + EncodeTopic.VECTORS,
                value=one.answer.value,
                key=one.answer.key,
                headers=list(one.answer.headers),
                partition=one.to,
            )
            for one in found
        ]
        producer.flush(timeout=SEND_SECONDS)
        for one in sent:
            one.get(timeout=SEND_SECONDS)

    def _commit(self, consumer: Any) -> None:
        """Where that fails, a part of the batch is answered twice."""
        try:
            consumer.commit()
        except (CommitFailedError, RetriableError) as exc:
            log.info("%s: not committed (%s): it comes again", self._topic, type(exc).__name__)

    def _consumer(self) -> Any:
        return KafkaConsumer(
            self._prefix + self._topic,
            isolation_level="read_committed",
            group_id=group_of(self._prefix, self._topic),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=MOST_TEXTS,
            max_partition_fetch_bytes=FETCH_BYTES,
            session_timeout_ms=SESSION_MS,
            **self._client,
        )

    def _producer(self) -> Any:
        return KafkaProducer(acks="all", **self._client)
