"""Untrusted values to typed events and back: one table of fields a topic, read by one loop.

It knows nothing about bytes, JSON or Kafka. Reasons are stable names to count by:
`not_an_object`, `unknown_topic`, `missing_field`, `wrong_type`, `out_of_range`, `not_finite`,
`empty`, `too_long`, `bad_character`, `bad_time`, `unknown_value`, `length_mismatch`,
`unexpected_field`, `unknown_version`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any

from upwell.controls import check_control
from upwell.errors import InvalidEventError
from upwell.events import (
    Action,
    Control,
    ControlKind,
    Decision,
    Event,
    Item,
    Knowledge,
    Match,
    Topic,
    type_of_topic,
)
from upwell.fields import (
    Check,
    choice,
    describe,
    flag,
    label,
    listing,
    mapping,
    number,
    shorten,
    text,
    whole,
)
from upwell.knowledge import records

__all__ = [
    "CHECKS",
    "CLEARABLE",
    "EARLIEST_MS",
    "MAX_TEXT",
    "OTHER_FIELD",
    "VERSION",
    "event_value",
    "key_of",
    "parse_event",
    "topic_of",
    "unknown_fields",
]

VERSION = 1
"""Of the events' meaning.

A new field does not raise it; what an older reader would take for something else does.
"""
OTHER_FIELD = "(other)"
"""Stands for a field whose name is no plain word: it may be about a person."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")

EARLIEST_MS = 100_000_000_000
"""1973 in milliseconds, the year 5138 in seconds: what lies between 0 and this is in seconds."""
FUTURE_MS = 24 * 3_600_000
"""How far ahead of our clock an app's clock may go."""
MAX_TEXT = 20_000
CLEARABLE = ("text", "categories", "relations", "brand", "price", "image", "language", "group")
"""Fields of an item that a null, or an empty text or list, takes away."""
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999
_LARGEST = 2**53 - 1  # of whole numbers that every JSON reader keeps exactly

_ID = label()
_OPTIONAL_LABEL = label(optional=True)
_TEXT = text(MAX_TEXT)
_OPTIONAL_TEXT = text(MAX_TEXT, optional=True)

_USER: dict[str, Check] = {"event_id": _ID, "user_id": _ID}
CHECKS: dict[Topic, dict[str, Check]] = {
    Topic.ITEMS: {
        "item_id": _ID,
        "title": text(1_000),
        "text": _OPTIONAL_TEXT,
        "categories": listing(_ID, 64),
        "relations": mapping(listing(_ID, 256, least=1), 16),
        "brand": _OPTIONAL_LABEL,
        "price": number(0),
        "image": label(900_000, optional=True),
        "language": _OPTIONAL_LABEL,
        "group": _OPTIONAL_LABEL,
        "deleted": flag,
        "event_id": _OPTIONAL_LABEL,
    },
    Topic.CLICKS: _USER
    | {
        "item_id": _ID,
        "action": choice(Action),
        "dwell_ms": whole(0, _LARGEST),
        "list_id": _OPTIONAL_LABEL,
        "position": whole(0, 1_000_000),
        "completion": number(0, 1),
    },
    Topic.REVIEWS: _USER
    | {
        "item_id": _ID,
        "rating": number(0.5, 5),
        "text": _OPTIONAL_TEXT,
        "language": _OPTIONAL_LABEL,
        "deleted": flag,
    },
    Topic.QUERIES: _USER | {"text": _TEXT},
    Topic.IMPRESSIONS: _USER
    | {
        "list_id": _ID,
        "item_ids": listing(_ID, 1_000, least=1),
        "propensities": listing(number(0, 1, above=True), 1_000),
    },
    Topic.REQUESTS: _USER
    | {
        "request_id": _ID,
        "k": whole(1, 100),
        "exclude": listing(_ID, 10_000),
        "category": _OPTIONAL_LABEL,
    },
    Topic.CONTROLS: {
        "event_id": _ID,
        "kind": choice(ControlKind),
        "by": _ID,
        "why": text(1_000),
        "user_id": _OPTIONAL_LABEL,
        "item_id": _OPTIONAL_LABEL,
        "boost": number(-10, 10),
        "from_user": _OPTIONAL_LABEL,
        "override_id": _OPTIONAL_LABEL,
        "decision": choice(Decision),
        "segment": _OPTIONAL_LABEL,
        "query": text(256, optional=True),
        "match": choice(Match),
        "from_ts": whole(EARLIEST_MS, _LATEST_MS),
        "until_ts": whole(EARLIEST_MS, _LATEST_MS),
        "priority": whole(-1_000_000, 1_000_000),
        "of_event": _OPTIONAL_LABEL,
        "version": _OPTIONAL_LABEL,
    },
    Topic.KNOWLEDGE: records.CHECKS,
}

_TOPICS: dict[type[Event], Topic] = {kind: topic for topic, kind in type_of_topic.items()}


def parse_event(topic: Topic, value: object, *, now_ms: int) -> Event:
    """The event that `value` (JSON's types) is on `topic`. Fields that no table names are kept out;
    null counts as absent.

    now_ms: UTC ms, against which times in the future are told. Raises `InvalidEventError`.
    """
    shape = _SHAPES.get(topic)
    if shape is None:
        raise InvalidEventError(
            "unknown_topic", f"{topic!s} takes no events; apps write to {', '.join(_SHAPES)}"
        )
    if type(value) is not dict:
        raise InvalidEventError(
            "not_an_object", f"the value is {describe(value)}, Upwell takes a JSON object"
        )
    kind, checks, needed, agree = shape
    get = value.get
    if (version := get("v")) is not None:
        _check_version(version)
    known: dict[str, Any] = {"ts": _time(get("ts"), now_ms)}
    for name, check in checks:
        if (one := get(name)) is not None:
            known[name] = check(name, one)
        elif name in needed:
            raise _missing(name, value)
    if topic is Topic.ITEMS:
        gone = (one for one in CLEARABLE if one in value)
        known["cleared"] = tuple(one for one in gone if known.get(one) in (None, ()))
    event = kind(**known)
    if agree is not None:
        agree(event)
    return event


def unknown_fields(topic: Topic, value: Mapping[str, object]) -> list[str]:
    """The fields of an event's value that `parse_event` keeps out, in no order."""
    return [
        name if _PLAIN_NAME.fullmatch(name) else OTHER_FIELD
        for name in value.keys() - _FIELDS[topic]
    ]


def event_value(event: Event) -> dict[str, Any]:
    """The event as JSON's types, what is absent or the default left out: `parse_event` of it gives
    the event again.
    """
    value: dict[str, Any] = dict.fromkeys(getattr(event, "cleared", ()))
    for name, default in _DEFAULTS[type(event)]:
        one = getattr(event, name)
        if one is None or one == default:
            continue
        if type(one) is tuple:
            one = {of: list(ids) for of, ids in one} if name == "relations" else list(one)
        elif isinstance(one, StrEnum):
            one = one.value
        value[name] = one
    return value


def topic_of(event: Event) -> Topic:
    """The topic that events of this type stand on."""
    return _TOPICS[type(event)]


def key_of(event: Event) -> str:
    """The record key: the user whose state, or the item whose features the event changes."""
    if isinstance(event, Item | Knowledge):
        return event.key
    if isinstance(event, Control):  # a merge begins at the guest's state
        named = (event.override_id, event.from_user, event.user_id, event.item_id, event.version)
        return next(filter(None, named), "")
    return event.user_id


def _check_version(version: object) -> None:
    if type(version) is not int:
        raise InvalidEventError(
            "wrong_type", f"v is {describe(version)}, Upwell takes a whole number"
        )
    if version < 1:
        raise InvalidEventError("out_of_range", f"v is {shorten(version)}, 1 to {VERSION} is right")
    if version > VERSION:
        remedy = "update Upwell, then `upwell dead-letters replay --reason unknown_version`"
        raise InvalidEventError(
            "unknown_version",
            f"v is {shorten(version)}, this Upwell knows events up to {VERSION}: {remedy}",
        )


def _time(ts: object, now_ms: int) -> int:
    if type(ts) is not int:
        if ts is None:
            raise InvalidEventError(
                "missing_field", "ts is missing: the event's time in UTC milliseconds since 1970"
            )
        raise InvalidEventError(
            "wrong_type", f"ts is {describe(ts)}, Upwell takes UTC milliseconds as a whole number"
        )
    if EARLIEST_MS <= ts <= now_ms + FUTURE_MS or ts == 0:
        return ts
    shown = shorten(ts)
    if ts < 0:
        raise InvalidEventError(
            "bad_time", f"ts is before 1970 ({shown}): Upwell takes UTC milliseconds since then"
        )
    if ts < EARLIEST_MS:
        raise InvalidEventError(
            "bad_time", f"ts looks like seconds ({shown}): Upwell takes UTC milliseconds"
        )
    for unit, per_ms in (("microseconds", 1_000), ("nanoseconds", 1_000_000)):
        if EARLIEST_MS <= ts // per_ms <= now_ms + FUTURE_MS:
            raise InvalidEventError(
                "bad_time", f"ts looks like {unit} ({shown}): Upwell takes UTC milliseconds"
            )
    hours = shorten((ts - now_ms) // 3_600_000)
    raise InvalidEventError(
        "bad_time",
        f"ts is {hours} hours in the future ({shown}), 24 are allowed: check the app's clock",
    )


def _missing(name: str, value: dict[str, Any]) -> InvalidEventError:
    what = "null" if name in value else "missing"
    plain = name.replace("_", "").lower()
    for given in value:
        if (
            isinstance(given, str)
            and given != name
            and given[:64].replace("_", "").lower() == plain
        ):
            return InvalidEventError(
                "missing_field",
                f"{name} is {what}; the field {given[:64]} is spelled otherwise, rename it {name}",
            )
    return InvalidEventError("missing_field", f"{name} is {what}")


def _completion_of_a_play(click: Any) -> None:
    if click.completion is not None and click.action is not Action.PLAY:
        raise InvalidEventError(
            "unexpected_field", f"completion has no meaning for {click.action}: only play has one"
        )


def _review_says_something(review: Any) -> None:
    if review.deleted and not (review.rating is None and review.text is None):
        raise InvalidEventError(
            "unexpected_field", "a deleted review has neither rating nor text: leave them out"
        )
    if review.rating is None and review.text is None and not review.deleted:
        raise InvalidEventError(
            "missing_field", "rating and text are both missing, a review needs at least one"
        )


def _impression_lengths(impression: Any) -> None:
    given, shown = impression.propensities, impression.item_ids
    if given is not None and len(given) != len(shown):
        raise InvalidEventError(
            "length_mismatch",
            f"propensities has {len(given):,} entries and item_ids {len(shown):,}, they go "
            "together one to one",
        )


_AGREEMENTS: dict[Topic, Callable[[Any], None]] = {
    Topic.CLICKS: _completion_of_a_play,
    Topic.REVIEWS: _review_says_something,
    Topic.IMPRESSIONS: _impression_lengths,
    Topic.CONTROLS: check_control,
    Topic.KNOWLEDGE: records.fields_agree,
}
_SHAPES = {
    topic: (
        kind,
        tuple(CHECKS[topic].items()),
        frozenset(field.name for field in fields(kind) if field.default is MISSING),
        _AGREEMENTS.get(topic),
    )
    for topic, kind in type_of_topic.items()
}
_FIELDS = {topic: frozenset({"v", "ts", *checks}) for topic, checks in CHECKS.items()}
_DEFAULTS: dict[type[Event], tuple[tuple[str, Any], ...]] = {
    kind: tuple((one.name, one.default) for one in fields(kind) if one.name in _FIELDS[topic])
    for kind, topic in _TOPICS.items()
}
