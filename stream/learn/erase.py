"""The learn process's part in forgetting a user: dead letters, and, once nothing of the user is
left, the confirmation.

The app's user_id stands on no internal topic and in no checkpoint: it is read again from the
request itself, where that stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from kafka import TopicPartition

from stream.broker.feeds import read_partition
from stream.chain.publish import Outgoing
from stream.chain.records import Record, decode_records
from upwell.codec import confirmation_value
from upwell.events import Control, Topic
from upwell.recommendations import Confirmation

__all__ = ["REMAINS", "Owed", "confirmation_record", "letters_of", "request_at"]

REMAINS = (
    "Kafka keeps the user's events, their lists, training examples, this request and its "
    "confirmation until each topic's retention removes "
    "them (a week unless you set it otherwise, `rerouted` an hour)",
    "dead letters are marked as removed now, and their bytes go when Kafka compacts the "
    "topic; those in which no user could be read stay",
    "the store's write-ahead log and disk blocks hold what was removed until the store "
    "writes over them",
    "weights and counts that were learned from the user stay; they name nobody",
    "snapshots and backups taken before hold the user: delete them, or forget the user "
    "again after a restore",
)
"""What an erasure cannot take back."""


@dataclass(frozen=True, slots=True)
class Owed:
    """An erasure that is carried out, and confirmed once a checkpoint without the user is the
    oldest. Names no user.

    source, offset: where its request stands. removed: as in `Confirmation`.
    """

    source: str
    offset: int
    removed: Mapping[str, int]


def confirmation_record(owed: Owed, checkpoints: int, request: Control, now_ms: int) -> Outgoing:
    """checkpoints: older ones that were removed. request: what stands at the owed place."""
    assert request.user_id is not None, "a request to forget names its user"
    removed = {**owed.removed, "checkpoints": checkpoints}
    value = Confirmation(
        user_id=request.user_id,
        event_id=request.event_id,
        removed=removed,
        remains=REMAINS,
        ts=now_ms,
    )
    return Outgoing(Topic.CONFIRMATIONS, request.user_id.encode(), confirmation_value(value))


def request_at(client: Mapping[str, Any], prefix: str, owed: Owed, now_ms: int) -> Control | None:
    """The request of `owed`, read from `controls` or `rerouted`; None where the topic's retention
    has removed it.
    """
    topic, _, number = owed.source.rpartition("-")
    for record in read_partition(client, TopicPartition(prefix + topic, int(number)), owed.offset):
        if record.offset != owed.offset:
            return None
        found = Record(
            Topic(topic), record.partition, record.offset, record.value, record.timestamp
        )
        event = decode_records([found], now_ms)[0][0].event
        assert isinstance(event, Control), "serve has taken it for one"
        return event
    return None


def letters_of(
    client: Mapping[str, Any], prefix: str, users: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """The pseudonym and the key of each dead letter that is of one of `users`."""
    kept: dict[bytes, str | None] = {}
    for record in read_partition(client, TopicPartition(prefix + Topic.DEAD_LETTERS, 0), 0):
        if record.key is not None:
            user = None if record.value is None else orjson.loads(record.value).get("user")
            kept[record.key] = user if user in users else None
    return ((user, key) for key, user in kept.items() if user is not None)
