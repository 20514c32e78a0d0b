"""The serve workers' group from outside: setting its offsets while no worker runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError, UnknownMemberIdError
from kafka.structs import OffsetAndMetadata

from upwell.errors import BrokerError

__all__ = ["rewind", "serve_group"]

MEMBER_SECONDS = 30.0
TICK_SECONDS = 0.5


def rewind(client: Mapping[str, Any], prefix: str, offsets: Mapping[TopicPartition, int]) -> None:
    """The serve workers go on from these offsets.

    A worker that has just ended is a member until its session times out: waits for that. Raises
    `BrokerError`.
    """
    deadline = time.monotonic() + MEMBER_SECONDS
    committed = {
        partition: OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()
    }
    with serve_group(client, prefix) as consumer:
        consumer.assign(list(offsets))
        while True:
            try:
                consumer.commit(committed)
                return
            except (CommitFailedError, UnknownMemberIdError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(TICK_SECONDS)


@contextmanager
def serve_group(client: Mapping[str, Any], prefix: str) -> Iterator[KafkaConsumer]:
    """A consumer of the group that is no member of it. Raises `BrokerError`."""
    try:
        consumer = KafkaConsumer(
            isolation_level="read_committed",
            group_id=prefix + "serve",
            enable_auto_commit=False,
            **client,
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaError as exc:
        raise BrokerError(
            f"the serve workers' offsets cannot be used: {exc}; does a worker run on "
            "another machine?"
        ) from exc
