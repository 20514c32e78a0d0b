"""The model's versions, the guard's rulings, and going back."""

from __future__ import annotations

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import Schema, array, call, reference
from gateway.calls.events import send_events
from gateway.calls.users import TIMEOUT
from gateway.edge.auth import Role
from gateway.edge.middleware import CALLER
from gateway.edge.reading import path_id, seconds
from gateway.edge.refusals import JSON, Refused, json_response
from gateway.parts import Parts
from upwell.errors import ModelError
from upwell.events import ControlKind, Topic
from upwell.system.clock import now_ms

__all__ = ["CALLS"]

ROLLBACK_SECONDS = 60.0
_VERSIONS: Schema = {
    "type": "object",
    "required": ["here", "versions", "rulings"],
    "properties": {
        "here": {"type": "string", "description": "by which the gateway ranks now"},
        "versions": array({"type": "string"}),
        "rulings": array({"type": "object", "required": ["verdict", "version", "at"]}),
    },
}


@call(
    "GET",
    "/v1/versions",
    role=Role.OPERATOR,
    answers={200: ("versions that can be gone back to, rulings; the newest first", _VERSIONS)},
)
async def versions(parts: Parts, request: Request) -> Response:
    """The model's versions that checkpoints hold, and what the guard ruled of late."""
    known = parts.versions
    try:
        held = await run_in_threadpool(known.versions)
    except ModelError as exc:
        raise Refused(503, "no_versions", str(exc)) from exc
    here = await run_in_threadpool(lambda: parts.items.version)
    return json_response({"here": here, "versions": held, "rulings": known.rulings()})


@call(
    "POST",
    "/v1/versions/{version_id}/rollback",
    role=Role.OPERATOR,
    query=[TIMEOUT],
    answers={
        200: ("it is the newest now; what came after it is learned again", {"type": "object"}),
        404: ("no checkpoint holds it", reference("Refusal")),
    },
)
async def roll_back(parts: Parts, request: Request) -> Response:
    """Have learn, which must run on this data folder, go back to an older version of the model. It
    stands on the audit log that it was asked for, and by whom.
    """
    version, timeout = path_id(request, "version_id"), seconds(request, "timeout", ROLLBACK_SECONDS)
    caller = request.scope[CALLER]
    said = {
        "topic": Topic.CONTROLS,
        "kind": ControlKind.ROLLBACK_MODEL,
        "version": version,
        "by": caller.who or "gateway",
        "why": "asked for at the gateway",
    }
    await send_events(
        orjson.dumps(said), JSON, Role.OPERATOR, now_ms(), parts.users.sender, parts.meter
    )
    try:
        await run_in_threadpool(parts.versions.roll_back, version, timeout)
    except ModelError as exc:
        raise Refused(503, "no_versions", str(exc)) from exc
    return json_response({"version": version})


CALLS = (versions, roll_back)
