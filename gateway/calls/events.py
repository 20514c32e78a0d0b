"""Events by POST: one, an array, or a line each; checked as serve checks them, before Kafka has
them.

An event is the JSON of docs/events.md with its `topic`. `event_id` and `ts` may be left out: then
they are made here, and a retry is another event.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import Schema, array, call, reference
from gateway.edge.auth import Role
from gateway.edge.meter import Meter
from gateway.edge.middleware import CALLER
from gateway.edge.reading import media_type, read_body, trace
from gateway.edge.refusals import JSON, Refused, json_response
from gateway.parts import Parts
from gateway.topics.send import Parcel, Sender
from stream.chain.validate import decode, load_json
from upwell.controls import KINDS_OF_OVERRIDES
from upwell.errors import InvalidEventError
from upwell.events import (
    Control,
    ControlKind,
    Event,
    Knowledge,
    KnowledgeKind,
    Topic,
    type_of_topic,
)
from upwell.recommendations import DeadLetter
from upwell.schema import key_of
from upwell.system.clock import now_ms
from upwell.system.trace_context import Headers

__all__ = ["CALLS", "Checked", "check_events", "send_events"]

MOST_EVENTS = 10_000
"""In one request."""
_NDJSON = frozenset({"application/x-ndjson", "application/jsonl", "application/x-jsonlines"})
_TOPICS = {str(topic): topic for topic in type_of_topic}
_UNNUMBERED = (Topic.ITEMS, Topic.KNOWLEDGE)
"""What they say is the same however often it comes: they need no event_id."""
_OF_APPS = frozenset({ControlKind.MERGE_USER, KnowledgeKind.TRIPLE})
"""What an app may say on `controls` and `knowledge`: who logged in, and what is so of an item. The
rest is an operator's.
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """place: in the request, from 0. event_id: as it goes to Kafka, None of an item without."""

    place: int
    parcel: Parcel
    event_id: str | None


Faults = list[dict[str, Any]]


def check_events(
    body: bytes, media_type: str, role: Role, now_ms: int, who: str | None = None
) -> tuple[list[Checked], Faults, bool]:
    """The events that may be sent; of the others place, reason and detail; and whether it was one
    event alone.

    media_type: of the body, without parameters. now_ms: UTC ms. who: the token's name, None where
    it has none. Raises `Refused` for what is no JSON as a whole, for too many, and for what the
    role, or somebody of this name, may not say.
    """
    checked: list[Checked] = []
    faults: Faults = []
    values, alone = _values(body, media_type)
    for place, value in values:
        if place >= MOST_EVENTS:
            raise Refused(
                413, "too_many", f"more than {MOST_EVENTS:,} events in one request: send several"
            )
        try:
            if isinstance(value, InvalidEventError):
                raise value
            event, parcel = _parcel(value, now_ms)
        except InvalidEventError as exc:
            faults.append({"place": place, "reason": exc.reason, "detail": exc.detail})
        else:
            _check_right(event, role)
            _check_name(event, who)
            checked.append(Checked(place, parcel, event.event_id))
    return checked, faults, alone


async def send_events(
    body: bytes,
    media_type: str,
    role: Role,
    now_ms: int,
    sender: Sender,
    meter: Meter,
    trace: Headers = (),
    who: str | None = None,
) -> dict[str, Any]:
    """The answer: Kafka has those that were accepted, on all replicas. trace: that each goes on
    with. who: the token's name. Raises `Refused`.
    """
    checked, faults, alone = check_events(body, media_type, role, now_ms, who)
    meter.posted["refused"] += len(faults)
    if not checked:
        if alone and faults:
            raise Refused(422, faults[0]["reason"], faults[0]["detail"])
        if not faults:
            raise Refused(422, "empty", "there is no event in the body")
        raise Refused(422, "all_refused", "no event was accepted", {"refused": faults})
    places = await sender.send([replace(one.parcel, trace=trace) for one in checked])
    lost = [one.place for one, at in zip(checked, places, strict=True) if at is None]
    meter.posted["accepted"] += len(checked) - len(lost)
    meter.posted["not_acknowledged"] += len(lost)
    if lost:
        raise Refused(
            503,
            "not_acknowledged",
            f"Kafka did not acknowledge {len(lost)} of {len(checked)} events in time; they may "
            "stand there all the same: send them again, with the same event_id they count once",
            {"not_acknowledged": lost, "event_ids": [one.event_id for one in checked]},
        )
    return {
        "accepted": len(checked),
        "event_ids": [one.event_id for one in checked],
        "refused": faults,
    }


Value = tuple[int, Any]


def _values(body: bytes, media_type: str) -> tuple[Iterator[Value] | Sequence[Value], bool]:
    """What may be events, with their places; what is no JSON as its `InvalidEventError`. And
    whether it is one event by itself.
    """
    if media_type in _NDJSON:
        return _lines(body), False
    try:
        whole = load_json(body, limit=max(len(body), 1))
    except InvalidEventError as exc:
        raise Refused(
            400,
            exc.reason,
            f"{exc.detail}; a line each is Content-Type: application/x-ndjson",
        ) from exc
    if isinstance(whole, list):
        return list(enumerate(whole)), False
    return [(0, whole)], True


def _lines(body: bytes) -> Iterator[Value]:
    lines = (line for line in body.split(b"\n") if line.strip())
    for place, line in enumerate(lines):
        try:
            yield place, load_json(line)
        except InvalidEventError as exc:
            yield place, exc


def _parcel(value: object, now_ms: int) -> tuple[Event, Parcel]:
    """Raises `InvalidEventError`."""
    if not isinstance(value, dict):
        raise InvalidEventError("not_an_object", "an event is a JSON object")
    topic = _topic(value.get("topic"))
    try:
        raw = orjson.dumps(_stamped(topic, value, now_ms))
    except orjson.JSONEncodeError as exc:
        raise InvalidEventError("too_deep", "an event is flat, this one is nested") from exc
    event = decode(topic, 0, 0, raw, now_ms)
    if isinstance(event, DeadLetter):
        raise InvalidEventError(event.reason, event.detail)
    return event, Parcel(topic, key_of(event).encode(), raw)


def _topic(name: object) -> Topic:
    if name is None:
        raise InvalidEventError("missing_field", f"topic is missing: one of {', '.join(_TOPICS)}")
    if not isinstance(name, str) or name not in _TOPICS:
        raise InvalidEventError(
            "unknown_topic", f"topic takes no events of apps: one of {', '.join(_TOPICS)}"
        )
    return _TOPICS[name]


def _stamped(topic: Topic, value: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    event = {name: one for name, one in value.items() if name != "topic"}
    if event.get("ts") is None:
        event["ts"] = now_ms
    if topic not in _UNNUMBERED and event.get("event_id") is None:
        event["event_id"] = uuid.uuid4().hex
    return event


def _check_right(event: Event, role: Role) -> None:
    if role >= Role.OPERATOR or not isinstance(event, Control | Knowledge):
        return
    if event.kind in _OF_APPS:
        return
    raise Refused(
        403,
        "not_allowed",
        f"{event.kind} is an operator's word: nothing of this request was sent",
    )


def _check_name(event: Event, who: str | None) -> None:
    """Nobody overrides, or approves, in another's name."""
    if who is None or not isinstance(event, Control) or event.kind not in KINDS_OF_OVERRIDES:
        return
    if event.by != who:
        raise Refused(
            403,
            "not_allowed",
            f"this token is {who}'s: by has to say so; nothing of this request was sent",
        )


_ACCEPTED: Schema = {
    "type": "object",
    "required": ["accepted", "event_ids", "refused"],
    "properties": {
        "accepted": {"type": "integer"},
        "event_ids": array({"type": ["string", "null"]}),
        "refused": array(
            {
                "type": "object",
                "required": ["place", "reason", "detail"],
                "properties": {
                    "place": {"type": "integer", "description": "in the request, from 0"},
                    "reason": {"type": "string"},
                    "detail": {"type": "string"},
                },
            }
        ),
    },
}


@call(
    "POST",
    "/v1/events",
    body={
        JSON: {"anyOf": [reference("Event"), array(reference("Event"))]},
        "application/x-ndjson": {"type": "string"},
    },
    answers={202: ("how many were accepted, and what was refused", _ACCEPTED)},
)
async def post_events(parts: Parts, request: Request) -> Response:
    """Events: one, an array, or a line each; 202 says that Kafka has them."""
    body, caller = await read_body(request), request.scope[CALLER]
    answer = await send_events(
        body,
        media_type(request),
        caller.role,
        now_ms(),
        parts.users.sender,
        parts.meter,
        trace(request),
        caller.who,
    )
    return json_response(answer, 202)


CALLS = (post_events,)
