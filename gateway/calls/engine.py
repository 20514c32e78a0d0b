"""What the engine is at, and the records that were no events."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gateway.calls.call import call, reference
from gateway.edge.auth import Role
from gateway.edge.reading import path_id
from gateway.edge.refusals import Refused, json_response
from gateway.parts import Parts
from upwell.errors import BrokerError, LetterError
from upwell.system.clock import now_ms

__all__ = ["CALLS"]


@call("GET", "/v1/figures", answers={200: ("records of the topic metrics", {"type": "object"})})
async def figures(parts: Parts, request: Request) -> Response:
    """What the engine's processes say of themselves, the newest of each."""
    return json_response(parts.figures.report(now_ms()))


@call(
    "GET",
    "/v1/dead-letters",
    role=Role.OPERATOR,
    answers={200: ("the latest first", {"type": "object"})},
)
async def dead_letters(parts: Parts, request: Request) -> Response:
    """The newest records that were no events, of the last fifty."""
    return json_response({"letters": parts.letters.newest()})


@call(
    "POST",
    "/v1/dead-letters/{letter_id}/replay",
    role=Role.OPERATOR,
    answers={
        200: ("what was sent, and why what was not", {"type": "object"}),
        404: ("there is none at this place", reference("Refusal")),
    },
)
async def replay_dead_letter(parts: Parts, request: Request) -> Response:
    """Send a dead letter to its topic once more."""
    place = path_id(request, "letter_id")
    try:
        done = await run_in_threadpool(parts.letters.replay, place, now_ms())
    except LetterError as exc:
        raise Refused(404, "no_letter", f"there is no dead letter {place}") from exc
    except BrokerError as exc:
        raise Refused(503, "not_sent", str(exc)) from exc
    return json_response(done)


CALLS = (figures, dead_letters, replay_dead_letter)
