"""The calls of apps and operators: one table of what each takes and answers, and a handler of a few
lines each, which reads the request, asks a part, answers. Routes and OpenAPI are made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway.auth import Role
from gateway.edge import CALLER
from gateway.events import post_events
from gateway.items import Ranks, item_calls
from gateway.live import Hub, LiveLists
from gateway.openapi import Call, Parameter, reference
from gateway.page import engine_calls
from gateway.reading import (
    flag,
    json_object,
    media_type,
    path_id,
    read_body,
    seconds,
    text,
)
from gateway.refusals import JSON, Refused, json_response
from gateway.topics.figures import Figures
from gateway.topics.letters import Letters
from gateway.users import Users, Worded
from upwell.errors import InvalidEventError
from upwell.system.clock import now_ms

__all__ = ["Parts", "calls"]

ANSWER_SECONDS = 10.0
FORGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the calls ask. warming: what is still read before anything is answered, None when all
    was. shortcomings: why the gateway is not ready; none where it is.
    """

    users: Users
    items: Ranks
    hub: Hub
    worded: Worded
    figures: Figures
    letters: Letters
    warming: Callable[[], str | None]
    shortcomings: Callable[[], Sequence[str]]


def calls(parts: Parts) -> list[Call]:
    """What an app and an operator may call."""
    users, items = parts.users, parts.items
    return [
        Call(
            method="POST",
            path="/v1/events",
            name="postEvents",
            does="Events: one, an array, or a line each; 202 says that Kafka has them",
            handler=partial(_events, users),
            body={
                JSON: {"anyOf": [reference("Event"), _array(reference("Event"))]},
                "application/x-ndjson": {"type": "string"},
            },
            answers={202: ("how many were accepted, and what was refused", _ACCEPTED)},
        ),
        Call(
            method="GET",
            path="/v1/users/{user_id}/list",
            name="newestList",
            does="The newest list of a user",
            handler=partial(_newest_list, parts),
            query=[
                Parameter("request", "ask for one where there is none", {"type": "boolean"}),
                _TIMEOUT,
                _LANGUAGE,
            ],
            answers={
                200: ("the list", reference("Recommendations")),
                404: ("none is held", reference("Refusal")),
                504: ("asked for, and none came in time", reference("Refusal")),
            },
        ),
        Call(
            method="POST",
            path="/v1/users/{user_id}/lists",
            name="requestList",
            does="Ask for a list, and wait for it",
            handler=partial(_requested_list, parts),
            query=[_TIMEOUT, _LANGUAGE],
            body={JSON: _WISH},
            answers={
                200: ("the list", reference("Recommendations")),
                504: ("none came in time", reference("Refusal")),
            },
        ),
        Call(
            method="GET",
            path="/v1/users/{user_id}/events",
            name="liveLists",
            does="Lists as they are made, as server-sent events; the newest there is first",
            handler=partial(_live_lists, parts),
            query=[_LANGUAGE],
            answers={200: ("text/event-stream of events `list`", None)},
        ),
        Call(
            method="DELETE",
            path="/v1/users/{user_id}",
            name="forgetUser",
            does="Have all that is kept of a user removed, and wait until that is confirmed",
            handler=partial(_forget, users),
            role=Role.OPERATOR,
            query=[
                Parameter("why", "kept with the request", {"type": "string"}),
                Parameter("by", "who asks; kept with the request", {"type": "string"}),
                _TIMEOUT,
            ],
            answers={
                200: ("what was removed and what remains", reference("Confirmation")),
                202: ("not confirmed in time; the request stands", {"type": "object"}),
            },
        ),
        *item_calls(items),
        *engine_calls(parts.figures, parts.letters),
    ]


async def _events(users: Users, request: Request) -> Response:
    body = await read_body(request)
    role = request.scope[CALLER].role
    status, answer = await post_events(body, media_type(request), role, now_ms(), users.sender)
    return json_response(answer, status)


async def _newest_list(parts: Parts, request: Request) -> Response:
    user_id, ask = path_id(request, "user_id"), flag(request, "request")
    timeout, language = seconds(request, "timeout", ANSWER_SECONDS), _language(parts, request)
    try:
        found = parts.users.newest_list(user_id)
    except Refused:
        if not ask:
            raise
        found = await parts.users.requested_list(user_id, {}, now_ms(), timeout)
    return Response(parts.worded.say(found, language), media_type=JSON)


async def _requested_list(parts: Parts, request: Request) -> Response:
    user_id, wish = path_id(request, "user_id"), await json_object(request)
    if unknown := sorted(wish.keys() - _WISH["properties"].keys()):
        raise InvalidEventError(
            "unexpected_field",
            f"a request for a list has {', '.join(_WISH['properties'])}; {len(unknown)} other "
            "fields were given",
        )
    timeout, language = seconds(request, "timeout", ANSWER_SECONDS), _language(parts, request)
    found = await parts.users.requested_list(user_id, wish, now_ms(), timeout)
    return Response(parts.worded.say(found, language), media_type=JSON)


async def _live_lists(parts: Parts, request: Request) -> ASGIApp:
    user_id, language = path_id(request, "user_id"), _language(parts, request)
    if request.method == "HEAD":  # Starlette asks it of every GET
        return Response(media_type="text/event-stream")
    return LiveLists(
        parts.hub,
        user_id,
        parts.users.newest.get(user_id),
        lambda value: parts.worded.say(value, language),
    )


def _language(parts: Parts, request: Request) -> str | None:
    """In which each entry is to have sentences. Raises `InvalidEventError`."""
    language = text(request, "lang")
    if language is not None:
        parts.worded.check(language)
    return language


async def _forget(users: Users, request: Request) -> Response:
    user_id = path_id(request, "user_id")
    by, why = text(request, "by") or "the gateway", text(request, "why") or "asked over HTTP"
    timeout = seconds(request, "timeout", FORGET_SECONDS)
    status, answer = await users.forget(user_id, by, why, now_ms(), timeout)
    return json_response(answer, status)


def _array(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_ID = {"type": "string", "minLength": 1, "maxLength": 256}
_LANGUAGE = Parameter("lang", "sentences beside each entry's reasons: en, de", {"type": "string"})
_TIMEOUT = Parameter("timeout", "seconds to wait", {"type": "number", "minimum": 0, "maximum": 60})
_WISH: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "k": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
        "category": {"type": ["string", "null"]},
        "exclude": {"anyOf": [_array(_ID), {"type": "null"}]},
    },
}
_ACCEPTED = {
    "type": "object",
    "required": ["accepted", "event_ids", "refused"],
    "properties": {
        "accepted": {"type": "integer"},
        "event_ids": _array({"type": ["string", "null"]}),
        "refused": _array(
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
