"""Bytes of a record to a typed event, or to a dead letter that says what is wrong: a bad event is
data, never an exception.

It knows nothing about Kafka. Reasons beside those of `upwell.schema`: `tombstone`, `empty`,
`too_large`, `byte_order_mark`, `not_utf8`, `truncated`, `not_finite` (NaN and Infinity are no
JSON), `too_deep`, `bad_json`.
"""

from __future__ import annotations

import re
from collections import Counter

import orjson

from upwell.errors import InvalidEventError
from upwell.events import Event, Topic
from upwell.recommendations import DeadLetter
from upwell.schema import parse_event, unknown_fields

__all__ = ["MAX_VALUE_BYTES", "REASONS", "decode", "letter", "load_json"]

MAX_VALUE_BYTES = 1 << 20
"""1 MiB: what a broker takes by default too."""

REASONS = (
    *("tombstone", "empty", "too_large", "byte_order_mark", "not_utf8", "truncated"),
    *("not_finite", "too_deep", "bad_json", "bad_character", "not_an_object", "missing_field"),
    *("wrong_type", "out_of_range", "too_long", "bad_time", "unknown_value", "length_mismatch"),
    *("unexpected_field", "unknown_version", "unknown_topic", "unknown_item", "catalogue_full"),
    *("no_picture", "unknown_override", "same_person", "overrides_full", "knowledge_full"),
    *("unknown_question", "unknown_template", "templates_full", "unknown_alert"),
)
"""Of all dead letters (docs/events.md), those of the catalogue's chain and of other uses too."""

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_NO_NUMBER = re.compile(r"[+-]?(nan|inf(inity)?)\b", re.IGNORECASE)


def decode(
    topic: Topic,
    partition: int,
    offset: int,
    raw: bytes | None,
    now_ms: int,
    *,
    limit: int = MAX_VALUE_BYTES,
    unknown: Counter[str] | None = None,
) -> Event | DeadLetter:
    """The event in `raw`, or the dead letter that it is. Never raises on any bytes.

    topic: without prefix; partition, offset: where the record stands, for the dead letter. now_ms:
    UTC ms. limit: bytes. unknown: where an event's fields that are kept out are counted, as
    `topic.field`.
    """
    try:
        value = load_json(raw, limit=limit)
        event = parse_event(topic, value, now_ms=now_ms)
    except InvalidEventError as exc:
        return letter(exc, topic, partition, offset, raw, now_ms)
    if unknown is not None and isinstance(value, dict):
        unknown.update(f"{topic}.{name}" for name in unknown_fields(topic, value))
    return event


def letter(
    why: InvalidEventError, topic: str, partition: int, offset: int, raw: bytes | None, now_ms: int
) -> DeadLetter:
    """Of a record that stands there and is no event, or none that can be heeded. now_ms: UTC ms."""
    return DeadLetter(
        reason=why.reason,
        detail=why.detail,
        topic=str(topic),
        partition=partition,
        offset=offset,
        raw=raw or b"",
        ts=now_ms,
    )


def load_json(raw: bytes | None, *, limit: int = MAX_VALUE_BYTES) -> object:
    """The JSON value in `raw`, at most `limit` bytes of it. Raises `InvalidEventError`."""
    if not raw:
        if raw is None:
            raise InvalidEventError(
                "tombstone",
                "the record has no value (a tombstone); to take an item out, send it with "
                "deleted: true",
            )
        raise InvalidEventError("empty", "the value is empty, a JSON object is needed")
    if len(raw) > limit:
        raise InvalidEventError(
            "too_large", f"the value has {len(raw):,} bytes, at most {limit:,} are taken"
        )
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise _explained(raw, exc) from exc


def _explained(raw: bytes, fault: orjson.JSONDecodeError) -> InvalidEventError:
    """The parser's word, put so that a person knows what to mend.

    The parser tells all of them in one exception type.
    """
    if raw.startswith(_BOM):
        return InvalidEventError(
            "byte_order_mark",
            "the value starts with a byte-order mark (EF BB BF): write UTF-8 without one "
            "(utf-8, not utf-8-sig)",
        )
    if raw.startswith(_UTF16_BOMS):
        return InvalidEventError(
            "not_utf8",
            "the value looks like UTF-16 (it starts with its byte-order mark): write UTF-8",
        )
    try:
        text = raw.decode()
    except UnicodeDecodeError as exc:
        if exc.reason == "unexpected end of data":
            return InvalidEventError(
                "truncated", f"the JSON ends in the middle of a character, after {len(raw):,} bytes"
            )
        return InvalidEventError(
            "not_utf8",
            f"byte {exc.start:,} (0x{raw[exc.start]:02X}) is no UTF-8: write the value as UTF-8",
        )
    if not text.strip():
        return InvalidEventError("empty", "the value is only white space, a JSON object is needed")
    word = fault.msg.lower()
    if "depth" in word or "recursion" in word:
        return InvalidEventError(
            "too_deep", "the JSON is nested more than 1,000 levels deep, an event is flat"
        )
    if found := _NO_NUMBER.match(text, fault.pos) or _NO_NUMBER.match(text, max(fault.pos - 1, 0)):
        return InvalidEventError(
            "not_finite",
            f"{found[0]} at character {found.start():,} is no JSON: leave the field out instead",
        )
    if "infinity" in word:
        return InvalidEventError(
            "not_finite",
            f"the number at character {fault.pos:,} is too large for any computer's floating point",
        )
    if "surrogate" in word:
        return InvalidEventError(
            "bad_character",
            f"a \\u escape at character {fault.pos:,} stands for half a character: escape "
            "both halves, or write UTF-8",
        )
    if fault.pos >= len(text.rstrip()):
        return InvalidEventError(
            "truncated", f"the JSON ends in the middle, after {len(raw):,} bytes"
        )
    return InvalidEventError(
        "bad_json", f"this is no JSON at character {fault.pos:,} (line {fault.lineno}): {fault.msg}"
    )
