"""Effects to records: which topic, partition, key and bytes each effect becomes. Pure; the sending
is the agents' part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stream.chain.effects import Effects, FreshList, ItemEffects
from stream.chain.record_size import examples_within, list_within
from stream.chain.wire import encode_erasure, encode_item
from upwell.codec import dead_letter_value
from upwell.events import Topic
from upwell.recommendations import DeadLetter, Recommendations
from upwell.values import Example

__all__ = ["TRIGGER_APPENDED", "Outgoing", "item_records", "user_records"]

TRIGGER_APPENDED = "trigger-appended-ms"
"""Header of a list: when its trigger was appended to the broker, UTC ms; with the list's own append
time it gives the freshness.
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send. `partition`: None lets the key decide."""

    topic: Topic
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def user_records(effects: Effects, now_ms: int) -> Iterator[Outgoing]:
    """Dead letters, events sent on, lists, examples, erasures: in this order. `now_ms`: the lists'
    own time, UTC ms.
    """
    for letter in effects.dead_letters:
        yield _letter_record(letter)
    for stray in effects.rerouted:
        yield Outgoing(Topic.REROUTED, stray.key, stray.value)
    for fresh in effects.lists:
        yield _list_record(fresh, now_ms)
    for source, examples in _by_source(effects.examples).items():
        for value in examples_within(examples):
            yield Outgoing(Topic.EXAMPLES, None, value, partition=int(source.rpartition("-")[2]))
    for erasure in effects.erasures:
        yield Outgoing(Topic.EXAMPLES, None, encode_erasure(erasure), partition=erasure.partition)


def item_records(effects: ItemEffects) -> Iterator[Outgoing]:
    """Dead letters, then the catalogue's new entries."""
    for letter in effects.dead_letters:
        yield _letter_record(letter)
    for item in effects.items:
        yield Outgoing(Topic.CATALOGUE, item.item_id.encode(), encode_item(item))


def _letter_record(letter: DeadLetter) -> Outgoing:
    """Keyed by where its record stood: the same letter again replaces it, one without a value
    removes it.
    """
    return Outgoing(Topic.DEAD_LETTERS, letter.place.encode(), dead_letter_value(letter))


def _list_record(fresh: FreshList, now_ms: int) -> Outgoing:
    recommendations = Recommendations(
        list_id=fresh.list_id,
        user_id=fresh.user_id,
        items=fresh.items,
        model_version=fresh.model_version,
        trigger=fresh.trigger,
        covers=fresh.covers,
        ts=now_ms,
        latency_ms=max(now_ms - fresh.appended_ms, 0),
    )
    appended = ((TRIGGER_APPENDED, str(fresh.appended_ms).encode()),)
    return Outgoing(
        Topic.RECOMMENDATIONS,
        fresh.user_id.encode(),
        list_within(recommendations),
        headers=appended,
    )


def _by_source(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Examples of each source in the order of their offsets, so that the learner's watermark only
    grows.
    """
    grouped: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda one: one.offset):
        grouped[example.source].append(example)
    return grouped
