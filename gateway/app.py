"""The application: every call behind the edge, and the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.calls import about, controls, engine, events, items, review, users, versions
from gateway.calls.call import Call
from gateway.edge.auth import Gatekeeper
from gateway.edge.limits import Buckets
from gateway.edge.meter import CALL
from gateway.edge.middleware import CALLER, Edge
from gateway.edge.refusals import Refused, refusal_response
from gateway.openapi import document
from gateway.page import page_routes
from gateway.parts import Parts
from upwell.errors import InvalidEventError
from upwell.settings import GatewaySettings

__all__ = ["CALLS", "application"]

CALLS = (
    *events.CALLS,
    *users.CALLS,
    *items.CALLS,
    *engine.CALLS,
    *controls.CALLS,
    *review.CALLS,
    *versions.CALLS,
    *about.CALLS,
)
"""All there are."""


def application(parts: Parts, settings: GatewaySettings, keeper: Gatekeeper) -> ASGIApp:
    """Everything between the socket and the parts."""
    plain = Starlette(
        routes=[
            Route(_route_path(call.path), _endpoint(call, parts), methods=[call.method])
            for call in CALLS
        ]
        + page_routes(),
        exception_handlers={HTTPException: _unrouted},
    )
    plain.state.openapi = document(CALLS, _version())
    origins = [one.strip() for one in (settings.origins or "").split(",") if one.strip()]
    buckets = Buckets(settings.rate, time.monotonic)
    guarded: ASGIApp = Edge(
        plain, keeper, buckets, parts.meter, settings.body_bytes, frozenset(origins)
    )
    if not origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["retry-after"],
    )


# ---- between Starlette and the handlers


def _endpoint(call: Call, parts: Parts) -> Callable[[Request], Any]:
    """The handler, with who may, and what is answered instead."""

    async def endpoint(request: Request) -> Response | ASGIApp:
        request.scope[CALL] = call.name
        try:
            if call.role:
                _check(call, parts, request)
            return await call.handler(parts, request)
        except Refused as refused:
            return refusal_response(request.scope, refused)
        except InvalidEventError as exc:
            return refusal_response(request.scope, Refused(422, exc.reason, exc.detail))

    return endpoint


def _check(call: Call, parts: Parts, request: Request) -> None:
    """Raises `Refused` for who may not, and as long as what there is was not read."""
    if request.scope[CALLER].role < call.role:
        raise Refused(403, "not_allowed", f"this is for an {call.role.name.lower()}'s token")
    if (what := parts.warming()) is not None:
        raise Refused(503, "not_ready", what)


async def _unrouted(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    reason = {404: "no_such_path", 405: "no_such_method"}.get(exc.status_code, "refused")
    detail = f"{exc.detail}; /openapi.json has all calls"
    refused = Refused(exc.status_code, reason, detail, headers=exc.headers)
    return refusal_response(request.scope, refused)


def _route_path(path: str) -> str:
    """An id may hold a slash."""
    return path.replace("_id}", "_id:path}")


def _version() -> str:
    try:
        return version("upwell")
    except PackageNotFoundError:  # run from a checkout
        return "0"
