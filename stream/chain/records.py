"""From Kafka's records to typed events: what arrived, where it stood, and what is no event.

A record of `rerouted` is unwrapped here, so that the stages after it see only events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson

from stream.chain.sources import Source
from stream.chain.validate import decode, load_json
from stream.chain.wire import decode_rerouted
from upwell.errors import InvalidEventError
from upwell.events import Click, Control, ControlKind, Event, Impression, Query, Review, Topic
from upwell.recommendations import DeadLetter
from upwell.system.trace_context import Headers
from upwell.values import TAKEN_BACK, Interaction

__all__ = [
    "Arrival",
    "BroadcastRecord",
    "Record",
    "decode_records",
    "interaction_of",
    "letter_of",
    "user_in",
]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came from the broker.

    `appended_ms`: the broker's own time stamp, UTC ms. `key`: as the app sent it. `incarnation`: of
    the topic (`Source`). `stated_ms`: when it was appended first, as its header says. `trace`: the
    headers of the trace that it is part of, for what comes of it.
    """

    topic: Topic
    partition: int
    offset: int
    value: bytes | None
    appended_ms: int
    key: bytes | None = None
    incarnation: str = ""
    stated_ms: int | None = None
    trace: Headers = ()

    @property
    def first_ms(self) -> int:
        """When its value was first appended, UTC ms, wherever it was sent on from. Never after this
        record: a header that somebody made up can only make its own event look older, and a
        request on `controls`, which must reach, not even that.
        """
        if self.stated_ms is None or self.topic is Topic.CONTROLS:
            return self.appended_ms
        return min(self.stated_ms, self.appended_ms)

    @property
    def source(self) -> str:
        """The `Source` whose offset stands for this record in a watermark."""
        return str(Source(self.topic, self.incarnation, self.partition))


@dataclass(frozen=True, slots=True)
class BroadcastRecord:
    """One record of a broadcast topic; `appended_ms`: the broker's time stamp, UTC ms."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    appended_ms: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid event and the record that brought it."""

    event: Event
    topic: Topic
    record: Record

    @property
    def source(self) -> str:
        """Of the record."""
        return self.record.source

    @property
    def offset(self) -> int:
        """Of the record."""
        return self.record.offset

    @property
    def at_ms(self) -> int:
        """When it happened, UTC ms; of an unknown time, when the broker first had it."""
        return self.event.ts or self.record.first_ms

    @property
    def user_id(self) -> str:
        """The app's own, of whose state the event changes; empty where it is an item's, or an
        override's, which may name a user.
        """
        event = self.event
        if getattr(event, "override_id", None):
            return ""
        return getattr(event, "from_user", None) or getattr(event, "user_id", None) or ""

    def asks(self, kind: ControlKind) -> bool:
        """Whether it is a control of this kind."""
        return isinstance(self.event, Control) and self.event.kind is kind


def user_in(letter: DeadLetter) -> str | None:
    """The app's user_id in the bytes of what is no event, where it can be read; else what the
    record was keyed by, which is the user.
    """
    raw = decode_rerouted(letter.raw)[1] if letter.topic == Topic.REROUTED else letter.raw
    with suppress(InvalidEventError):
        value = load_json(raw)
        user_id = value.get("user_id") if isinstance(value, dict) else None
        if isinstance(user_id, str) and user_id:
            return user_id
    with suppress(UnicodeDecodeError):
        return letter.key.decode() or None if letter.key is not None else None
    return None


def decode_records(
    records: Iterable[Record], now_ms: int, unknown: Counter[str] | None = None
) -> tuple[list[Arrival], list[DeadLetter]]:
    """Valid events in their order, and a dead letter for each of the others.

    unknown: where fields that are kept out are counted, as `topic.field`; of an event that is sent
    on, where it came first.
    """
    arrivals: list[Arrival] = []
    dead_letters: list[DeadLetter] = []
    for record in records:
        topic, value = record.topic, record.value
        if topic is Topic.REROUTED and value is not None:
            topic, value = decode_rerouted(value)
        if topic is Topic.ITEMS and value is None and record.key:
            value = _deletion(record)
        counted = None if record.topic is Topic.REROUTED else unknown
        decoded = decode(topic, record.partition, record.offset, value, now_ms, unknown=counted)
        if isinstance(decoded, DeadLetter):
            dead_letters.append(
                replace(
                    decoded,
                    topic=record.topic.value,
                    raw=record.value or b"",
                    key=record.key,
                    appended=record.first_ms,
                )
            )
        else:
            arrivals.append(Arrival(decoded, topic, record))
    return arrivals, dead_letters


def letter_of(arrival: Arrival, reason: str, detail: str, now_ms: int) -> DeadLetter:
    """Of a valid event that cannot be heeded. now_ms: UTC ms."""
    record = arrival.record
    return DeadLetter(
        reason=reason,
        detail=detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        raw=record.value or b"",
        key=record.key,
        ts=now_ms,
        appended=record.first_ms,
    )


def interaction_of(event: Event, source: str, offset: int) -> Interaction | None:
    """What is folded of an event that stands there; None of one that is not."""
    item_id, kind, rating, completion = None, "query", None, None
    match event:
        case Click():
            item_id, kind, completion = event.item_id, event.action.value, event.completion
        case Review(deleted=True):
            item_id, kind = event.item_id, TAKEN_BACK
        case Review():
            item_id, kind, rating = event.item_id, "review", event.rating
        case Query():
            pass
        case Impression():
            kind = "impression"
        case _:
            return None
    return Interaction(event.event_id, event.ts, item_id, kind, rating, source, offset, completion)


def _deletion(record: Record) -> bytes:
    """A record without a value takes the item of its key out, as on any compacted topic."""
    item_id = (record.key or b"").decode(errors="replace")
    return orjson.dumps({"item_id": item_id, "ts": 0, "deleted": True})
