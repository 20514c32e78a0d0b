"""Of the gateway itself, and who asks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import Schema, call, reference
from gateway.edge.auth import Role
from gateway.edge.middleware import CALLER
from gateway.edge.refusals import Refused, json_response
from gateway.parts import Parts

__all__ = ["CALLS"]


@call("GET", "/healthz", role=Role.NOBODY, answers={200: ("it does", {"type": "object"})})
async def alive(parts: Parts, request: Request) -> Response:
    """The process answers."""
    return json_response({"alive": True})


@call(
    "GET",
    "/readyz",
    role=Role.NOBODY,
    answers={
        200: ("ready", {"type": "object"}),
        503: ("not yet, or not any more; `detail` says why", reference("Refusal")),
    },
)
async def ready(parts: Parts, request: Request) -> Response:
    """The broker answers, and what it has was read."""
    if lacking := parts.shortcomings():
        raise Refused(503, "not_ready", "; ".join(lacking))
    return json_response({"ready": True})


@call("GET", "/openapi.json", role=Role.NOBODY, answers={200: ("OpenAPI 3.1", {"type": "object"})})
async def openapi(parts: Parts, request: Request) -> Response:
    """This document."""
    return json_response(request.app.state.openapi)


_CALLER: Schema = {
    "type": "object",
    "required": ["role", "name"],
    "properties": {"role": {"enum": ["app", "operator"]}, "name": {"type": ["string", "null"]}},
}


@call("GET", "/v1/caller", answers={200: ("the token's role, and its name if it has one", _CALLER)})
async def caller(parts: Parts, request: Request) -> Response:
    """Who the gateway takes the caller for."""
    found = request.scope[CALLER]
    return json_response({"role": found.role.name.lower(), "name": found.who})


CALLS = (alive, ready, openapi, caller)
