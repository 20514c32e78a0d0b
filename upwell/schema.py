"""Untrusted values to typed events and back: one table of fields a topic, read by one loop.

It knows nothing about bytes, JSON or Kafka. Reasons are stable names to count by:
`not_an_object`, `unknown_topic`, `missing_field`, `wrong_type`, `out_of_range`, `not_finite`,
`empty`, `too_long`, `bad_character`, `bad_time`, `unknown_value`, `length_mismatch`,
`unexpected_field`, `unknown_version`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
    flag,
    label,
    listing,
    mapping,
    number,
    text,
    whole,
)
from upwell.knowledge import records
from upwell.uses.shape import EARLIEST_MS, VERSION, Shape

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

OTHER_FIELD = "(other)"
"""Stands for a field whose name is no plain word: it may be about a person."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")

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
        "surface": _OPTIONAL_LABEL,
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
    event: Event = shape.read(value, now_ms)
    return event


def unknown_fields(topic: Topic, value: Mapping[str, object]) -> list[str]:
    """The fields of an event's value that `parse_event` keeps out, in no order."""
    return [
        name if _PLAIN_NAME.fullmatch(name) else OTHER_FIELD
        for name in value.keys() - _SHAPES[topic].names
    ]


def event_value(event: Event) -> dict[str, Any]:
    """The event as JSON's types, what is absent or the default left out: `parse_event` of it gives
    the event again.
    """
    return _SHAPES[topic_of(event)].value(event)


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
    topic: Shape(
        kind,
        CHECKS[topic],
        _AGREEMENTS.get(topic),
        CLEARABLE if topic is Topic.ITEMS else (),
    )
    for topic, kind in type_of_topic.items()
}
