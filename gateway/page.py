"""The live page's files, which anybody may read; the calls that it makes need a token like all
others.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

__all__ = ["PAGE_PATHS", "page_routes"]

_FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/calls.js": ("calls.js", "text/javascript"),
    "/operators.js": ("operators.js", "text/javascript"),
    "/review.js": ("review.js", "text/javascript"),
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
