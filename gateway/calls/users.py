"""Calls about one user: the newest list, one that is asked for, live lists, forgetting."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from gateway.calls.call import Parameter, Schema, array, call, reference
from gateway.edge.auth import Role
from gateway.edge.middleware import CALLER
from gateway.edge.reading import flag, json_object, path_id, seconds, text, trace
from gateway.edge.refusals import JSON, Refused, json_response
from gateway.live import LiveLists
from gateway.parts import Parts
from upwell.errors import InvalidEventError
from upwell.system.clock import now_ms

__all__ = ["CALLS", "TIMEOUT"]

ANSWER_SECONDS = 10.0
FORGET_SECONDS = 60.0
LANGUAGE = Parameter("lang", "sentences beside each entry's reasons: en, de", {"type": "string"})
TIMEOUT = Parameter("timeout", "seconds to wait", {"type": "number", "minimum": 0, "maximum": 60})
ASK = Parameter("request", "ask for one where there is none", {"type": "boolean"})
WHY = Parameter("why", "kept with the request", {"type": "string"})
BY = Parameter("by", "who asks, where the token has no name; kept likewise", {"type": "string"})
SURFACE = Parameter("surface", "where it is shown, for what is hidden there", {"type": "string"})
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 256}
_WISH: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "k": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
        "category": {"type": ["string", "null"]},
        "exclude": {"anyOf": [array(_ID), {"type": "null"}]},
        "surface": {"type": ["string", "null"]},
    },
}


@call(
    "GET",
    "/v1/users/{user_id}/list",
    query=[ASK, TIMEOUT, LANGUAGE, SURFACE],
    answers={
        200: ("the list", reference("Recommendations")),
        404: ("none is held", reference("Refusal")),
        504: ("asked for, and none came in time", reference("Refusal")),
    },
)
async def newest_list(parts: Parts, request: Request) -> Response:
    """The newest list of a user on a surface; without one, of those that name none."""
    user_id, ask = path_id(request, "user_id"), flag(request, "request")
    timeout, language = seconds(request, "timeout", ANSWER_SECONDS), _language(parts, request)
    surface = text(request, "surface")
    try:
        found = parts.users.newest_list(user_id, surface)
    except Refused:
        if not ask:
            raise
        wish = {} if surface is None else {"surface": surface}
        found = await parts.users.requested_list(user_id, wish, now_ms(), timeout, trace(request))
    return Response(parts.worded.say(found, language), media_type=JSON)


@call(
    "POST",
    "/v1/users/{user_id}/lists",
    query=[TIMEOUT, LANGUAGE],
    body={JSON: _WISH},
    answers={
        200: ("the list", reference("Recommendations")),
        504: ("none came in time", reference("Refusal")),
    },
)
async def request_list(parts: Parts, request: Request) -> Response:
    """Ask for a list, and wait for it."""
    user_id, wish = path_id(request, "user_id"), await json_object(request)
    if unknown := sorted(wish.keys() - _WISH["properties"].keys()):
        raise InvalidEventError(
            "unexpected_field",
            f"a request for a list has {', '.join(_WISH['properties'])}; {len(unknown)} other "
            "fields were given",
        )
    timeout, language = seconds(request, "timeout", ANSWER_SECONDS), _language(parts, request)
    found = await parts.users.requested_list(user_id, wish, now_ms(), timeout, trace(request))
    return Response(parts.worded.say(found, language), media_type=JSON)


@call(
    "GET",
    "/v1/users/{user_id}/events",
    query=[LANGUAGE, SURFACE],
    answers={200: ("text/event-stream of events `list`", None)},
)
async def live_lists(parts: Parts, request: Request) -> ASGIApp:
    """Lists as they are made, as server-sent events; the newest there is first. Of one surface, or
    those that name none.
    """
    user_id, language = path_id(request, "user_id"), _language(parts, request)
    surface = text(request, "surface")
    if request.method == "HEAD":  # Starlette asks it of every GET
        return Response(media_type="text/event-stream")
    return LiveLists(
        parts.hub,
        user_id,
        parts.users.newest.get(user_id, surface),
        lambda value: parts.worded.say(value, language),
        surface,
    )


@call(
    "DELETE",
    "/v1/users/{user_id}",
    role=Role.OPERATOR,
    query=[WHY, BY, TIMEOUT],
    answers={
        200: ("what was removed and what remains", reference("Confirmation")),
        202: ("not confirmed in time; the request stands", {"type": "object"}),
    },
)
async def forget_user(parts: Parts, request: Request) -> Response:
    """Have all that is kept of a user removed, and wait until that is confirmed."""
    user_id = path_id(request, "user_id")
    by = request.scope[CALLER].who or text(request, "by") or "the gateway"
    why = text(request, "why") or "asked over HTTP"
    timeout = seconds(request, "timeout", FORGET_SECONDS)
    status, answer = await parts.users.forget(user_id, by, why, now_ms(), timeout)
    return json_response(answer, status)


def _language(parts: Parts, request: Request) -> str | None:
    """In which each entry is to have sentences. Raises `InvalidEventError`."""
    language = text(request, "lang")
    if language is not None:
        parts.worded.check(language)
    return language


CALLS = (newest_list, request_list, live_lists, forget_user)
