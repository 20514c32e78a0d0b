"""Reading one of Upwell's topics as an app does: without a group, from now on or from its
beginning, all of it or the records of one key.

Of one key only its partition is read, by the number of partitions that the topic has. Where an
admin adds partitions while it is read, the key's new one is read too; what was published under the
smaller number is found where it stood then, so reading from the beginning reads all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from upwell.connection import refusal
from upwell.errors import BrokerError
from upwell.partition import partition_of
from upwell.system.offsets import beginnings_of, ends_of
from upwell.system.threads import given_up

__all__ = ["TopicReader"]

POLL_MS = 100
REFRESH_MS = 30_000
"""How long an added partition may go unnoticed."""


class TopicReader:
    """Positioned when it is made: what is published afterwards is not missed. `key`: of the
    records that are wanted, None for all. Raises `BrokerError`.
    """

    def __init__(
        self,
        topic: str,
        client: Mapping[str, Any],
        *,
        key: bytes | None = None,
        from_beginning: bool = False,
    ) -> None:
        self._topic = topic
        self._client = client
        self._key = key
        self._whole = key is None or from_beginning
        try:
            self._consumer = KafkaConsumer(
                isolation_level="read_committed",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                metadata_max_age_ms=REFRESH_MS,
                **client,
            )
        except KafkaError as exc:
            raise self._unread(exc) from exc
        try:
            self._begin(from_beginning)
        except BaseException:
            self.close()
            raise

    def _begin(self, from_beginning: bool) -> None:
        try:
            partitions = self._wanted()
            if not partitions:
                raise BrokerError(
                    f"topic {self._topic} does not exist: has `upwell run` been started on this "
                    "broker?"
                )
            self._consumer.assign(partitions)
            places = beginnings_of if from_beginning else ends_of
            for partition, offset in places(self._consumer, partitions).items():
                self._consumer.seek(partition, offset)
        except KafkaError as exc:
            raise self._unread(exc) from exc

    def _wanted(self) -> list[TopicPartition]:
        """Of the topic as the broker shows it now."""
        numbers = sorted(self._consumer.partitions_for_topic(self._topic) or ())
        if numbers and self._key is not None and not self._whole:
            numbers = [numbers[partition_of(self._key, len(numbers))]]
        return [TopicPartition(self._topic, number) for number in numbers]

    def _follow_partitions(self) -> None:
        """Read partitions that were added too: the key's records are there since they were."""
        read = self._consumer.assignment()
        added = [partition for partition in self._wanted() if partition not in read]
        if added:
            places = {partition: self._consumer.position(partition) for partition in read}
            places |= beginnings_of(self._consumer, added)
            self._consumer.assign(list(places))
            for partition, offset in places.items():
                self._consumer.seek(partition, offset)

    def values(self, timeout: float | None) -> Iterator[bytes]:
        """Values as they are published; ends, and closes the reader, after `timeout` seconds
        without one, and where nobody waits any more (`given_up`). A record without a value is one
        that was removed. Raises `BrokerError`.
        """
        try:
            last = time.monotonic()
            nobody_waits = given_up.get()
            while not nobody_waits() and (timeout is None or time.monotonic() - last < timeout):
                self._follow_partitions()
                for records in self._consumer.poll(timeout_ms=POLL_MS).values():
                    for record in records:
                        if record.value is not None and self._key in (None, record.key):
                            last = time.monotonic()
                            yield record.value
        except KafkaError as exc:
            raise self._unread(exc) from exc
        finally:
            self.close()

    def close(self) -> None:
        """May be called again."""
        self._consumer.close()

    def _unread(self, exc: BaseException) -> BrokerError:
        unread = BrokerError(f"topic {self._topic} cannot be read: {exc}; is the broker up?")
        return refusal(self._client) or unread
