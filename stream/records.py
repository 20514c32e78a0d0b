"""From Kafka's records to typed events: what arrived, where it stood, and what is no event.

A record of `rerouted` is unwrapped here, so that the stages after it see only events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from stream.validate import decode
from stream.wire import decode_rerouted
from upwell.events import Event, Topic
from upwell.recommendations import DeadLetter

__all__ = ["Arrival", "Record", "decode_records"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came from the broker. `appended_ms`: the broker's own time stamp, UTC ms."""

    topic: Topic
    partition: int
    offset: int
    value: bytes | None
    appended_ms: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid event and the record that brought it."""

    event: Event
    topic: Topic
    record: Record

    @property
    def source(self) -> str:
        """The `topic-partition` whose offset stands for this event in a watermark."""
        return f"{self.record.topic}-{self.record.partition}"

    @property
    def offset(self) -> int:
        return self.record.offset


def decode_records(records: Iterable[Record], now_ms: int) -> tuple[list[Arrival], list[DeadLetter]]:
    """Valid events in their order, and a dead letter for each of the others."""
    arrivals: list[Arrival] = []
    dead_letters: list[DeadLetter] = []
    for record in records:
        topic, value = record.topic, record.value
        if topic is Topic.REROUTED and value is not None:
            topic, value = decode_rerouted(value)
        decoded = decode(topic, record.partition, record.offset, value, now_ms)
        if isinstance(decoded, DeadLetter):
            dead_letters.append(replace(decoded, topic=record.topic.value, raw=record.value or b""))
        else:
            arrivals.append(Arrival(decoded, topic, record))
    return arrivals, dead_letters
