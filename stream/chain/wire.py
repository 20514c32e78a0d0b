"""The bytes of the internal topics: training examples and erasures, the ledger of those, the
catalogue, rules, rerouted events.
JSON by orjson, vectors as base64.

Only Upwell's own processes read these; an example or item that does not decode means two versions
are mixed, which is a fault, not a dead letter.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson

from stream.chain.effects import Erasure, Forgotten
from upwell.errors import BrokerError
from upwell.events import Topic, type_of_topic
from upwell.knowledge import Rule
from upwell.values import CatalogueItem, Example, Interaction, Vector

__all__ = [
    "FIRST_APPENDED",
    "decode_examples",
    "decode_forgotten",
    "decode_item",
    "decode_rerouted",
    "decode_rule",
    "encode_erasure",
    "encode_examples",
    "encode_forgotten",
    "encode_item",
    "encode_rerouted",
    "encode_rule",
    "first_appended",
    "first_appended_header",
]

VERSION = 1
FIRST_APPENDED = "first-appended-ms"
"""Header of what is sent on or sent again: when its value was first appended to the broker, UTC ms.
"""
_DIGITS = 15
_ADDED = ("pictured", "triples", "values", "waiting", "group")
"""Fields of an item that older versions do not know: written where there is something to say."""
_EVENT_TOPICS = {topic.value.encode(): topic for topic in type_of_topic}


def encode_examples(examples: Sequence[Example]) -> bytes:
    """One record of the `examples` topic: examples of one source in one micro-batch, in the order
    of their offsets.
    """
    return orjson.dumps(
        {
            "v": VERSION,
            "source": examples[0].source,
            "examples": [_example_row(example) for example in examples],
        }
    )


def encode_erasure(erasure: Erasure) -> bytes:
    """One record of the `examples` topic: what came before it of this user is to be removed."""
    return orjson.dumps({"v": VERSION, "erasure": asdict(erasure)})


def encode_forgotten(one: Forgotten) -> bytes:
    """One record of the compacted topic `erasures`, whose key is the pseudonym."""
    return orjson.dumps({"v": VERSION, **asdict(one)})


def decode_forgotten(raw: bytes) -> Forgotten:
    """The exact inverse. Raises `BrokerError` for a record of another version."""
    return Forgotten(**_versioned(raw, Topic.ERASURES))


def decode_examples(raw: bytes) -> list[Example] | Erasure:
    """The inverse of `encode_erasure`; and of `encode_examples`, up to float16 intents and the
    history's event ids, which the learner
    has no use for.

    Raises `BrokerError` for a record of another version.
    """
    record = _versioned(raw, Topic.EXAMPLES)
    if "erasure" in record:
        return Erasure(**record["erasure"])
    source, known = record["source"], _Known()
    return [_example(source, row, known) for row in record["examples"]]


def encode_item(item: CatalogueItem) -> bytes:
    """One record of the compacted `catalogue` topic. An item's picture has its share in the vector,
    and stays in the store; what a policy blocks each reader finds by its own.
    """
    unsaid = (name for name in _ADDED if not getattr(item, name))
    kept = {"vector", "picture", "blocked", *unsaid}
    value = {name: getattr(item, name) for name in CatalogueItem.__slots__ if name not in kept}
    return orjson.dumps({"v": VERSION, **value, "vector": _pack(item.vector, np.float32)})


def decode_item(raw: bytes) -> CatalogueItem:
    """The exact inverse of `encode_item`, without the picture."""
    record = _versioned(raw, Topic.CATALOGUE)
    record["vector"] = _unpack(record["vector"], np.float32)
    record["categories"] = tuple(record["categories"])
    for known in ("relations", "triples", "values"):
        record[known] = tuple((name, tuple(ends)) for name, ends in record.get(known, ()))
    return CatalogueItem(**record)


def encode_rule(rule_id: str, rule: Rule | None) -> bytes:
    """One record of the compacted `rules` topic; None of a rule that was taken back."""
    return orjson.dumps({"v": VERSION, "rule_id": rule_id, "rule": rule and asdict(rule)})


def decode_rule(raw: bytes) -> tuple[str, Rule | None]:
    """The inverse."""
    record = _versioned(raw, Topic.RULES)
    if (told := record["rule"]) is None:
        return record["rule_id"], None
    return record["rule_id"], Rule(**told | {"months": tuple(told["months"])})


def encode_rerouted(topic: Topic, value: bytes) -> bytes:
    """An event on its way to the partition of its user: the topic's name, a line end, the event's
    bytes as they came.
    """
    return topic.value.encode() + b"\n" + value


def decode_rerouted(raw: bytes) -> tuple[Topic, bytes]:
    """The topic that the event came on, and its bytes; `rerouted` and all of `raw` where no worker
    has written it.
    """
    name, _, value = raw.partition(b"\n")
    topic = _EVENT_TOPICS.get(name)
    return (Topic.REROUTED, raw) if topic is None else (topic, value)


def first_appended_header(first_ms: int | None) -> tuple[tuple[str, bytes], ...]:
    """The headers of a record that carries it; none where it is not known."""
    return () if first_ms is None else ((FIRST_APPENDED, str(first_ms).encode()),)


def first_appended(headers: Mapping[str, bytes]) -> int | None:
    """The inverse; None without the header and where it is no time: apps write what they like."""
    raw = headers.get(FIRST_APPENDED)
    known = raw is not None and len(raw) <= _DIGITS and raw.isdigit()
    return int(raw) if raw is not None and known else None


def _versioned(raw: bytes, topic: Topic) -> dict[str, Any]:
    try:
        record: object = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise BrokerError(
            f"topic {topic}: a record is not Upwell's: something else writes to this topic; "
            "set UPWELL_PREFIX"
        ) from exc
    if not isinstance(record, dict) or record.pop("v", None) != VERSION:
        raise BrokerError(
            f"topic {topic}: a record is not of version {VERSION}: two versions of Upwell "
            "share a prefix; set UPWELL_PREFIX"
        )
    return record


def _example_row(example: Example) -> list[Any]:
    history = example.history
    shares = [entry.completion for entry in (*history, example.event)]
    segments = example.segments
    played = shares if segments or any(share is not None for share in shares) else None
    return [
        example.offset,
        example.user,
        _interaction_row(example.event),
        [entry.ts for entry in history],
        [entry.item_id for entry in history],
        [entry.kind for entry in history],
        [entry.rating for entry in history],
        None if example.intent is None else _pack(example.intent, np.float16),
        example.user_events,
        example.tested,
        example.had,
        *([example.beside, played] if played else [example.beside] if example.beside else ()),
        *([segments] if segments else ()),
    ]


class _Known(dict[tuple[Any, ...], Interaction]):
    """The entries of one record's histories: of a user's consecutive examples nearly all are the
    same.
    """

    def __missing__(self, row: tuple[Any, ...]) -> Interaction:
        ts, item_id, kind, rating, completion = row
        entry = self[row] = Interaction("", ts, item_id, kind, rating, completion=completion)
        return entry


def _example(source: str, row: list[Any], known: _Known) -> Example:
    offset, user, event, times, items, kinds, ratings, intent, user_events, tested, had, *more = row
    *shares, played = more[1] if len(more) > 1 else [None] * (len(times) + 1)
    history = zip(times, items, kinds, ratings, shares, strict=True)
    return Example(
        source=source,
        offset=offset,
        user=user,
        event=_interaction(event, source, offset, played),
        history=tuple(map(known.__getitem__, history)),
        intent=None if intent is None else _unpack(intent, np.float16).astype(np.float32),
        user_events=user_events,
        tested=tested,
        had=tuple(had),
        beside=tuple((item, worn) for item, worn in more[0]) if more else (),
        segments=tuple(more[2]) if len(more) > 2 else (),
    )


def _interaction(row: list[Any], source: str, offset: int, completion: float | None) -> Interaction:
    event_id, ts, item_id, kind, rating = row
    return Interaction(event_id, ts, item_id, kind, rating, source, offset, completion)


def _interaction_row(entry: Interaction) -> list[Any]:
    return [entry.event_id, entry.ts, entry.item_id, entry.kind, entry.rating]


def _pack(vector: Vector, dtype: type[np.floating[Any]]) -> str:
    return b64encode(vector.astype(dtype).tobytes()).decode()


def _unpack(text: str, dtype: type[np.floating[Any]]) -> Vector:
    return np.frombuffer(b64decode(text), dtype=dtype)
