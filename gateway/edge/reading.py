"""What a request says: its body, its query, ids in its path. What is wrong is refused by name."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request

from gateway.edge.refusals import Refused
from stream.chain.validate import load_json
from upwell.errors import InvalidEventError
from upwell.fields import label
from upwell.system.trace_context import Headers

__all__ = [
    "flag",
    "json_object",
    "media_type",
    "number",
    "path_id",
    "read_body",
    "seconds",
    "text",
    "trace",
]

BODY_SECONDS = 10.0
MOST_SECONDS = 60.0
_TRACE = ("traceparent", "tracestate")
MOST_OF_TRACE = 512
"""Characters of a header; W3C asks that so many of a `tracestate` be passed on."""
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_id = label()


async def read_body(request: Request) -> bytes:
    """Raises `Refused` for one that does not come to its end."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise Refused(
            408, "slow_body", f"the body did not come within {BODY_SECONDS:g} s"
        ) from None
    except ClientDisconnect:
        raise Refused(400, "truncated", "the body ends in the middle") from None


async def json_object(request: Request) -> Mapping[str, Any]:
    """Of the body; empty where there is none. Raises `Refused`, `InvalidEventError`."""
    body = await read_body(request)
    if not body:
        return {}
    value = load_json(body, limit=len(body))
    if not isinstance(value, dict):
        raise InvalidEventError("not_an_object", "the body is a JSON object")
    return value


def media_type(request: Request) -> str:
    """Of the body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def trace(request: Request) -> Headers:
    """That the caller is in (W3C Trace Context), as a record's headers; whether it is one, serve
    finds out.
    """
    given = ((name, ",".join(request.headers.getlist(name))) for name in _TRACE)
    return tuple((name, one.encode()) for name, one in given if 0 < len(one) <= MOST_OF_TRACE)


def path_id(request: Request, name: str) -> str:
    """An id that stands in the path, percent-encoded UTF-8. Raises `InvalidEventError`."""
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError as exc:
        raise InvalidEventError("not_utf8", f"{name} in the path is no UTF-8") from exc
    return str(_id(name, request.path_params[name]))


def text(request: Request, name: str) -> str | None:
    """A parameter of the query; None where it is left out or empty."""
    return request.query_params.get(name) or None


def flag(request: Request, name: str) -> bool:
    """False where it is left out. Raises `InvalidEventError`."""
    given = text(request, name)
    if given is None:
        return False
    if given.lower() not in _FLAGS:
        raise InvalidEventError("wrong_type", f"{name} must be true or false")
    return _FLAGS[given.lower()]


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Raises `InvalidEventError`."""
    given = text(request, name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(most))):
        raise InvalidEventError("wrong_type", f"{name} must be a whole number, {least} to {most}")
    if not least <= int(given) <= most:
        raise InvalidEventError("out_of_range", f"{name} must be {least} to {most}")
    return int(given)


def seconds(request: Request, name: str, default: float) -> float:
    """How long to wait. Raises `InvalidEventError`."""
    given = text(request, name)
    try:
        found = default if given is None else float(given)
    except ValueError:
        found = math.nan
    if not 0.0 <= found <= MOST_SECONDS:
        raise InvalidEventError(
            "out_of_range", f"{name} must be a number of seconds, 0 to {MOST_SECONDS:g}"
        )
    return found
