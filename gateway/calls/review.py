"""Items that wait for a person: the queue, one of it, and deciding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import Parameter, Schema, array, call, reference
from gateway.calls.users import TIMEOUT
from gateway.edge.auth import Role
from gateway.edge.middleware import CALLER
from gateway.edge.reading import flag, json_object, number, path_id, seconds
from gateway.edge.refusals import JSON, Refused, json_response
from gateway.parts import Parts
from stream.ops.review.desk import Said
from stream.ops.review.queue import Reason, undecided
from stream.ops.review.told import kept_of, row_of
from upwell.errors import InvalidEventError
from upwell.events import Decision
from upwell.system.clock import now_ms

__all__ = ["CALLS"]

DAY_HOURS, MOST_HOURS = 24, 24 * 30
LIST_K, MOST_SKIPPED = 20, 1_000_000
RULING_SECONDS = 10.0
DAYS, MOST_DAYS = 30.0, 3_650.0
HOURS = Parameter(
    "hours",
    "what was appended in so many hours is looked at",
    {"type": "integer", "minimum": 1, "maximum": MOST_HOURS, "default": DAY_HOURS},
)
K = Parameter("k", "how many", {"type": "integer", "minimum": 1, "maximum": 100, "default": LIST_K})
SKIP = Parameter(
    "skip",
    "how many of the first are left out",
    {"type": "integer", "minimum": 0, "maximum": MOST_SKIPPED, "default": 0},
)
DECIDED = Parameter(
    "decided", "those too of which a decision is in force", {"type": "boolean", "default": False}
)
_MS: Schema = {"type": ["integer", "null"], "description": "UTC ms"}
_KEPT: Schema = {
    "type": "object",
    "required": ["override_id", "item_id", "decision", "by", "why", "event_id", "state"],
    "properties": {
        "override_id": {"type": "string"},
        "item_id": {"type": "string"},
        "decision": {"enum": [str(one) for one in Decision]},
        "boost": {"type": "number"},
        "by": {"type": "string"},
        "why": {"type": "string"},
        "event_id": {"type": "string"},
        "at": {"type": "integer", "description": "UTC ms"},
        "until_ts": {"type": "integer", "description": "UTC ms"},
        "state": {"enum": ["in_force", "waits"]},
        "needs": {"type": "integer", "description": "how many others have to approve it"},
        "approved_by": array({"type": "string"}),
    },
}
_ROW: Schema = {
    "type": "object",
    "required": [
        *("item_id", "title", "reasons", "why", "since", "against", "now", "before", "drift"),
        *("shown", "announced", "like", "decided"),
    ],
    "properties": {
        "item_id": {"type": "string"},
        "title": {"type": ["string", "null"]},
        "reasons": array({"enum": [str(one) for one in Reason]}),
        "why": array({"type": "string"}),
        "since": {"type": "integer", "description": "when the first began to hold, UTC ms"},
        "against": {"type": "integer", "description": "users who speak against it"},
        "now": {"type": "integer", "description": "users who took it in the newer half"},
        "before": {"type": "integer", "description": "users who took it in the older half"},
        "drift": {"type": "number", "description": "standard errors between the halves"},
        "shown": {"type": "integer", "description": "times in lists of the newer half"},
        "announced": _MS,
        "like": {"type": ["string", "null"], "description": "the banned item that it is like"},
        "decided": {"anyOf": [_KEPT, {"type": "null"}]},
    },
}
_QUEUE: Schema = {
    "type": "object",
    "required": ["hours", "read_at", "total", "items"],
    "properties": {
        "hours": {"type": "integer"},
        "read_at": {"type": "integer", "description": "when the topics were read, UTC ms"},
        "total": {"type": "integer", "description": "of items, on all pages"},
        "items": array(_ROW),
    },
}
_SAY: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["decision", "why"],
    "properties": {
        "decision": {"enum": [str(one) for one in Decision]},
        "why": {"type": "string", "minLength": 1, "maxLength": 1_000},
        "by": {
            "type": "string",
            "description": "who decides; needed where the token has no name, else that holds",
        },
        "boost": {"type": "number", "exclusiveMinimum": 0, "maximum": 10},
        "days": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_DAYS, "default": DAYS},
        "seen": {
            "type": ["string", "null"],
            "description": "event_id of the decision that was looked at, null where there was "
            "none: where another stands by now, nothing is sent",
        },
    },
}


@call(
    "GET",
    "/v1/review",
    role=Role.OPERATOR,
    query=[HOURS, K, SKIP, DECIDED],
    answers={200: ("items with why they wait, the strongest reasons first", _QUEUE)},
)
async def review_queue(parts: Parts, request: Request) -> Response:
    """Items that wait for a person: many speak against them, took them up of late, or took them as
    never before, or they stand in lists though little is known of them.
    """
    hours, k = _hours(request), number(request, "k", LIST_K, 1, 100)
    skip, all_of_them = number(request, "skip", 0, 0, MOST_SKIPPED), flag(request, "decided")
    looked = await parts.reviews.look(hours, now_ms())
    rows = looked.rows if all_of_them else undecided(looked.rows)
    told = {
        "hours": hours,
        "read_at": looked.at,
        "total": len(rows),
        "items": [row_of(one) for one in rows[skip : skip + k]],
    }
    return json_response(told)


@call(
    "GET",
    "/v1/review/{item_id}",
    role=Role.OPERATOR,
    query=[HOURS],
    answers={200: ("why it waits", _ROW), 404: ("it is not there", reference("Refusal"))},
)
async def reviewed_item(parts: Parts, request: Request) -> Response:
    """One item of the queue, decided or not."""
    item_id, hours = path_id(request, "item_id"), _hours(request)
    looked = await parts.reviews.look(hours, now_ms())
    for one in looked.rows:
        if one.item_id == item_id:
            return json_response(row_of(one))
    raise Refused(404, "not_in_queue", f"the item is not in the queue of the last {hours} hours")


@call(
    "POST",
    "/v1/review/{item_id}/decisions",
    role=Role.OPERATOR,
    query=[TIMEOUT],
    body={JSON: _SAY},
    answers={
        200: ("what stands of it, by a serve worker's ruling", _KEPT),
        202: ("Kafka has it; nobody ruled on it in time", {"type": "object"}),
        404: ("nobody announced the item, and it is not in the queue", reference("Refusal")),
        409: ("somebody else decided meanwhile; `decided` says what", reference("Refusal")),
    },
)
async def decide_item(parts: Parts, request: Request) -> Response:
    """Decide what becomes of an item: an override for everyone, on the audit log, which waits for
    others where UPWELL_APPROVALS asks for them.
    """
    item_id, word = path_id(request, "item_id"), await json_object(request)
    timeout, who = seconds(request, "timeout", RULING_SECONDS), request.scope[CALLER].who
    said = _said(item_id, word, who)
    await _check_known(parts, item_id)
    if "seen" in word:
        await _check_seen(parts, item_id, word["seen"])
    status, answer = await parts.reviews.decide(said, now_ms(), timeout)
    return json_response(answer, status)


def _hours(request: Request) -> int:
    return number(request, "hours", DAY_HOURS, 1, MOST_HOURS)


def _said(item_id: str, word: Mapping[str, Any], who: str | None) -> Said:
    """Of the body; what an override may say is checked with it. Raises `InvalidEventError`."""
    if unknown := word.keys() - _SAY["properties"].keys():
        known = ", ".join(_SAY["properties"])
        detail = f"a decision has {known}; {len(unknown)} other fields were given"
        raise InvalidEventError("unexpected_field", detail)
    given = word.get("decision")
    if not isinstance(given, str) or given not in {str(one) for one in Decision}:
        known = ", ".join(str(one) for one in Decision)
        raise InvalidEventError("unknown_value", f"decision must be one of {known}")
    by = who or word.get("by")
    if by is None:
        raise InvalidEventError("missing_field", "by is missing: who decides?")
    if word.get("why") is None:
        raise InvalidEventError("missing_field", "why is missing")
    days = _days(word.get("days"))
    return Said(item_id, Decision(given), by, word["why"], days, word.get("boost"))


def _days(given: object) -> float:
    if given is None:
        return DAYS
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise InvalidEventError("wrong_type", "days must be a number")
    if not (math.isfinite(given) and 0 < given <= MOST_DAYS):
        raise InvalidEventError(
            "out_of_range", f"days must be above 0 and at most {MOST_DAYS:g}: it holds so long"
        )
    return float(given)


async def _check_known(parts: Parts, item_id: str) -> None:
    """Raises `Refused` (404)."""
    if await run_in_threadpool(parts.items.item, item_id) is not None:
        return
    looked = await parts.reviews.look(DAY_HOURS, now_ms())
    if item_id not in {one.item_id for one in looked.rows}:
        raise Refused(
            404, "unknown_item", "no item of this id was announced, and the queue has none"
        )


async def _check_seen(parts: Parts, item_id: str, seen: object) -> None:
    """Nobody overrules a decision that they have not seen. Raises `Refused` (409)."""
    if seen is not None and not isinstance(seen, str):
        raise InvalidEventError("wrong_type", "seen must be an event_id or null")
    kept = await parts.reviews.standing(item_id)
    newest = None if kept is None else kept.waiting or kept.standing
    if kept is None or newest is None:
        if seen is None:
            return
        detail, told = "the decision that was looked at is withdrawn: look again", None
    elif newest.event_id == seen:
        return
    else:
        told = kept_of(kept)
        detail = f"{newest.by} decided meanwhile ({newest.decision}): look at it, then decide"
    raise Refused(409, "decided_meanwhile", detail, {"decided": told})


CALLS = (review_queue, reviewed_item, decide_item)
