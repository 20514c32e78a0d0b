"""Effects to records: which topic, partition, key and bytes each effect becomes. Pure; the sending
is the agents' part.

An event is bounded (`upwell.schema`), but a batch of them with their users' states is not, and an
event whose effect no broker takes would stop the worker again and again: examples of one source are
cut into several records, lists get shorter words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stream.chain.effects import Decided, Effects, FreshList, ItemEffects
from stream.chain.overrides.record import withdrawal_of
from stream.chain.wire import (
    encode_erasure,
    encode_examples,
    encode_forgotten,
    encode_item,
    encode_rule,
    first_appended_header,
)
from upwell.codec import dead_letter_value, recommendations_value
from upwell.events import Topic
from upwell.recommendations import DeadLetter, Entry, Recommendations
from upwell.system.trace_context import Headers
from upwell.values import Example

__all__ = [
    "MAX_EXAMPLES_BYTES",
    "MAX_LIST_BYTES",
    "TRIGGER_APPENDED",
    "Outgoing",
    "examples_within",
    "item_records",
    "list_within",
    "user_records",
]

TRIGGER_APPENDED = "trigger-appended-ms"
"""Header of a list: when its trigger was appended to the broker, UTC ms; with the list's own append
time it gives the freshness.
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send. `partition`: None lets the key decide. gone: it has no value, and takes
    away what a compacted topic has under its key.
    """

    topic: Topic
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: Headers = ()
    gone: bool = False


def user_records(effects: Effects, now_ms: int) -> Iterator[Outgoing]:
    """Dead letters, events sent on, lists, examples, erasures, their ledger: in this order.
    `now_ms`: the lists' own time, UTC ms.
    """
    for letter in effects.dead_letters:
        yield _letter_record(letter)
    for stray in effects.rerouted:
        headers = first_appended_header(stray.first_ms) + stray.trace
        yield Outgoing(Topic.REROUTED, stray.key, stray.value, stray.partition, headers)
    for fresh in effects.lists:
        yield _list_record(fresh, now_ms)
    for source, examples in _by_source(effects.examples).items():
        partition = int(source.rpartition("-")[2])
        headers = _traces_of(examples, effects.traces)
        for value in examples_within(examples):
            yield Outgoing(Topic.EXAMPLES, None, value, partition, headers)
            headers = ()  # of all of them with the first
    for erasure in effects.erasures:
        yield Outgoing(Topic.EXAMPLES, None, encode_erasure(erasure), partition=erasure.partition)
    for override_id, erasure in effects.withdrawn:
        key, value = override_id.encode(), withdrawal_of(override_id, erasure, now_ms)
        yield Outgoing(Topic.CONTROLS, key, value)
    for one in effects.ledger:
        yield Outgoing(Topic.ERASURES, one.user.encode(), encode_forgotten(one), partition=0)


def item_records(effects: ItemEffects) -> Iterator[Outgoing]:
    """Dead letters, what controls come to, then the catalogue's new entries, then rules."""
    for letter in (*effects.dead_letters, *effects.decided.letters):
        yield _letter_record(letter)
    yield from _decided_records(effects.decided)
    for item in effects.items:
        yield Outgoing(Topic.CATALOGUE, item.item_id.encode(), encode_item(item))
    for rule_id, rule in effects.rules.items():
        yield Outgoing(Topic.RULES, rule_id.encode(), encode_rule(rule_id, rule))


def _decided_records(decided: Decided) -> Iterator[Outgoing]:
    for partition, entry in decided.entries:
        yield Outgoing(Topic.AUDIT, None, entry, partition)
    for partition, override_id, kept in decided.overrides:
        yield Outgoing(Topic.OVERRIDES, override_id, kept or b"", partition, gone=kept is None)
    for override_id, control, trace in decided.strays:
        yield Outgoing(Topic.CONTROLS, override_id, control, headers=trace)


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
        surface=fresh.surface,
    )
    appended = (TRIGGER_APPENDED, str(fresh.appended_ms).encode())
    return Outgoing(
        Topic.RECOMMENDATIONS,
        fresh.user_id.encode(),
        list_within(recommendations),
        headers=(appended, *fresh.trace),
    )


def _by_source(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Examples of each source in the order of their offsets, so that the learner's watermark only
    grows.
    """
    grouped: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda one: one.offset):
        grouped[example.source].append(example)
    return grouped


def _traces_of(examples: Sequence[Example], traces: Mapping[tuple[str, int], Headers]) -> Headers:
    """One after the other: Kafka's headers may repeat."""
    if not traces:
        return ()
    return tuple(header for one in examples for header in traces.get((one.source, one.offset), ()))


MAX_EXAMPLES_BYTES = 8 << 20
"""Half of what the producer sends in one record; the items that a user had may be 10,000 ids of 256
characters.
"""
MAX_LIST_BYTES = 900_000
"""A broker takes records of 1 MiB by default, key and headers with them."""
SHORT = 80
"""Characters left of a title, and of the words that caused an entry, where a list would be too
large.
"""


def examples_within(
    examples: Sequence[Example], limit: int = MAX_EXAMPLES_BYTES
) -> Iterator[bytes]:
    """Records of the `examples` topic of at most `limit` bytes, in the order of the examples of one
    source.

    One that is too large by itself is learned from and not tested: what its user had goes only with
    a tested one.
    """
    record = encode_examples(examples)
    if len(record) <= limit:
        yield record
    elif len(examples) > 1:
        half = len(examples) // 2
        yield from examples_within(examples[:half], limit)
        yield from examples_within(examples[half:], limit)
    else:
        yield encode_examples([replace(examples[0], tested=False, had=(), beside=())])


def list_within(recommendations: Recommendations, limit: int = MAX_LIST_BYTES) -> bytes:
    """The record of a list; one of more than `limit` bytes has its titles and causes cut to `SHORT`
    characters.
    """
    value = recommendations_value(recommendations)
    if len(value) <= limit:
        return value
    return recommendations_value(
        replace(recommendations, items=tuple(map(_shortened, recommendations.items)))
    )


def _shortened(entry: Entry) -> Entry:
    reasons = tuple(replace(reason, because=_cut(reason.because)) for reason in entry.reasons)
    return replace(entry, title=_cut(entry.title), reasons=reasons)


def _cut(words: str | None) -> str | None:
    return words if words is None or len(words) <= SHORT else words[: SHORT - 1] + "…"
