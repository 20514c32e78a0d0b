"""The application: the table of calls behind the edge, the page, and what tells of the gateway
itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.auth import Gatekeeper, Role
from gateway.calls import Parts, calls
from gateway.edge import CALLER, Edge
from gateway.limits import Buckets
from gateway.openapi import Call, document, reference
from gateway.page import page_routes
from gateway.refusals import Refused, json_response, refusal_response
from upwell.errors import InvalidEventError
from upwell.settings import GatewaySettings

__all__ = ["application"]


def application(parts: Parts, settings: GatewaySettings, keeper: Gatekeeper) -> ASGIApp:
    """Everything between the socket and the parts."""
    table = calls(parts)
    table += _about(parts, table)
    routes = [
        Route(_route_path(call.path), _endpoint(call, parts), methods=[call.method])
        for call in table
    ] + page_routes()
    plain: ASGIApp = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _unrouted},
    )
    origins = [one.strip() for one in (settings.origins or "").split(",") if one.strip()]
    buckets = Buckets(settings.rate, time.monotonic)
    guarded: ASGIApp = Edge(plain, keeper, buckets, settings.body_bytes, frozenset(origins))
    if not origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["retry-after"],
    )


def _about(parts: Parts, table: Sequence[Call]) -> list[Call]:
    """Of the gateway itself; nobody needs a token."""
    found: dict[str, Any] = {}

    async def described(_: Request) -> Response:
        return json_response(found)

    own = [
        Call(
            method="GET",
            path="/healthz",
            name="alive",
            does="The process answers",
            handler=_alive,
            role=Role.NOBODY,
            answers={200: ("it does", {"type": "object"})},
        ),
        Call(
            method="GET",
            path="/readyz",
            name="ready",
            does="The broker answers, and what it has was read",
            handler=partial(_ready, parts),
            role=Role.NOBODY,
            answers={
                200: ("ready", {"type": "object"}),
                503: ("not yet, or not any more; `detail` says why", reference("Refusal")),
            },
        ),
        Call(
            method="GET",
            path="/openapi.json",
            name="openapi",
            does="This document",
            handler=described,
            role=Role.NOBODY,
            answers={200: ("OpenAPI 3.1", {"type": "object"})},
        ),
    ]
    found.update(document([*table, *own], _version()))
    return own


async def _alive(_: Request) -> Response:
    return json_response({"alive": True})


async def _ready(parts: Parts, _: Request) -> Response:
    if lacking := parts.shortcomings():
        raise Refused(503, "not_ready", "; ".join(lacking))
    return json_response({"ready": True})


# ---- between Starlette and the handlers


def _endpoint(call: Call, parts: Parts) -> Callable[[Request], Any]:
    """The handler, with who may, and what is answered instead."""

    async def endpoint(request: Request) -> Response | ASGIApp:
        try:
            if call.role:
                _check(call, parts, request)
            return await call.handler(request)
        except Refused as refused:
            return refusal_response(refused)
        except InvalidEventError as exc:
            return refusal_response(Refused(422, exc.reason, exc.detail))

    return endpoint


def _check(call: Call, parts: Parts, request: Request) -> None:
    """Raises `Refused` for who may not, and as long as what there is was not read."""
    if request.scope[CALLER].role < call.role:
        raise Refused(403, "not_allowed", f"this is for an {call.role.name.lower()}'s token")
    if (what := parts.warming()) is not None:
        raise Refused(503, "not_ready", what)


async def _unrouted(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    reason = {404: "no_such_path", 405: "no_such_method"}.get(exc.status_code, "refused")
    detail = f"{exc.detail}; /openapi.json has all calls"
    return refusal_response(Refused(exc.status_code, reason, detail, headers=exc.headers))


def _route_path(path: str) -> str:
    """An id may hold a slash."""
    return path.replace("_id}", "_id:path}")


def _version() -> str:
    try:
        return version("upwell")
    except PackageNotFoundError:  # run from a checkout
        return "0"
