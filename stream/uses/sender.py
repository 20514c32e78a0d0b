"""What a use writes: the effects of one batch and its step, all or none of it. Whoever starts later
under the same name shuts the earlier one out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from stream.broker.feeds import FETCH_BYTES
from stream.uses.port import Published, Use
from stream.uses.steps import Step
from upwell.codec import dead_letter_value
from upwell.errors import BrokerError, SettingsError
from upwell.events import Topic
from upwell.recommendations import DeadLetter

__all__ = ["Sender"]

SEND_TIMEOUT_S = 60
TRANSACTION_MS = 60_000
"""After which the broker ends a transaction whose process is gone; the next one of its name ends it
at once.
"""


class Sender:
    """Raises `KafkaError` where the broker fails."""

    def __init__(self, client: Mapping[str, Any], prefix: str, use: Use) -> None:
        self._client = client
        self._prefix = prefix
        self._use = use
        self._producer = KafkaProducer(
            acks="all",
            transactional_id=f"{prefix}{use.name}",
            transaction_timeout_ms=TRANSACTION_MS,
            max_request_size=FETCH_BYTES,
            **client,
        )
        self._producer.init_transactions()
        self._figures = KafkaProducer(acks="all", **client)

    def commit(
        self, published: Iterable[Published], letters: Iterable[DeadLetter], step: Step
    ) -> int:
        """The offset of the step. Raises `SettingsError` where another process has taken over,
        `BrokerError` where it is not known whether it went out: start anew from the log.
        """
        try:
            self._producer.begin_transaction()
            for one in published:
                self._send(one.topic, one.key.encode(), orjson.dumps(one.value))
            for letter in letters:
                self._send(Topic.DEAD_LETTERS, letter.place.encode(), dead_letter_value(letter))
            noted = self._send(self._use.steps, None, step.value())
            self._producer.commit_transaction()
            return int(noted.get(timeout=SEND_TIMEOUT_S).offset)
        except KafkaError as exc:
            if _shut_out(exc):
                raise SettingsError(
                    f"another process runs {self._use.name} for {self._prefix}*: one of it runs, "
                    "the one that started last; an engine apart needs another UPWELL_PREFIX"
                ) from exc
            raise BrokerError(
                f"{self._use.name}: a batch was not committed ({exc}): it is read again"
            ) from exc

    def tell(self, figures: bytes) -> None:
        """A record for `metrics`; one that is lost is followed by the next."""
        self._figures.send(self._prefix + Topic.METRICS, key=self._use.name.encode(), value=figures)

    def truncate(self, offset: int) -> None:
        """Steps before `offset` are covered by every checkpoint."""
        admin = KafkaAdminClient(**self._client)
        try:
            admin.delete_records({TopicPartition(self._prefix + self._use.steps, 0): offset})
        finally:
            admin.close()

    def close(self) -> None:
        self._producer.close()
        self._figures.close()

    def _send(self, topic: str, key: bytes | None, value: bytes) -> Any:
        return self._producer.send(self._prefix + topic, key=key, value=value)


def _shut_out(exc: KafkaError) -> bool:
    """By a later one of its name: the client says so itself, or of a request before this one."""
    fenced = (ProducerFencedError, InvalidProducerEpochError)
    return any(isinstance(one, fenced) for one in (exc, exc.__cause__, *exc.args))
