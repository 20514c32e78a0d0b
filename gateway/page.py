"""The live page: three files, which anybody may read, and the calls that it alone makes, which need
a token like all others.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gateway.auth import Role
from gateway.openapi import Call, reference
from gateway.reading import path_id
from gateway.refusals import Refused, json_response
from gateway.topics.figures import Figures
from gateway.topics.letters import Letters
from upwell.errors import BrokerError, LetterError
from upwell.system.clock import now_ms

__all__ = ["PAGE_PATHS", "engine_calls", "page_routes"]

_FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
PAGE_PATHS = frozenset(_FILES)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Styles inside are the widths of bars."""


def page_routes() -> list[Route]:
    """A route a file."""
    return [Route(path, _file, methods=["GET"]) for path in _FILES]


async def _file(request: Request) -> Response:
    name, kind = _FILES[request.url.path]
    return FileResponse(
        Path(__file__).parent / "static" / name,
        media_type=kind,
        headers={"content-security-policy": _POLICY, "cache-control": "no-cache"},
    )


def engine_calls(figures: Figures, letters: Letters) -> list[Call]:
    """What the engine is at, and the records that were no events."""
    return [
        Call(
            method="GET",
            path="/v1/figures",
            name="figures",
            does="What the engine's processes say of themselves, the newest of each",
            handler=partial(_figures, figures),
            answers={200: ("records of the topic metrics", {"type": "object"})},
        ),
        Call(
            method="GET",
            path="/v1/dead-letters",
            name="deadLetters",
            does="The newest records that were no events, of the last fifty",
            handler=partial(_dead_letters, letters),
            role=Role.OPERATOR,
            answers={200: ("the latest first", {"type": "object"})},
        ),
        Call(
            method="POST",
            path="/v1/dead-letters/{letter_id}/replay",
            name="replayDeadLetter",
            does="Send a dead letter to its topic once more",
            handler=partial(_replay, letters),
            role=Role.OPERATOR,
            answers={
                200: ("what was sent, and why what was not", {"type": "object"}),
                404: ("there is none at this place", reference("Refusal")),
            },
        ),
    ]


async def _figures(figures: Figures, _: Request) -> Response:
    return json_response(figures.report(now_ms()))


async def _dead_letters(letters: Letters, _: Request) -> Response:
    return json_response({"letters": letters.newest()})


async def _replay(letters: Letters, request: Request) -> Response:
    place = path_id(request, "letter_id")
    try:
        done = await run_in_threadpool(letters.replay, place, now_ms())
    except LetterError as exc:
        raise Refused(404, "no_letter", f"there is no dead letter {place}") from exc
    except BrokerError as exc:
        raise Refused(503, "not_sent", str(exc)) from exc
    return json_response(done)
