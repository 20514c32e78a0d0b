"""What is answered instead of what was asked: a status, a reason to count by, a sentence for
people. The reasons of a wrong event are those of its dead letter (docs/events.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response
from starlette.types import Scope

__all__ = ["JSON", "REASON", "Refused", "json_response", "refusal_response"]

JSON = "application/json"
REASON = "upwell.reason"
"""Where a call's scope holds why it was refused."""
_RETRY_SECONDS = "1"
_PASSING = frozenset({429, 503})
"""Statuses that pass by themselves: with them goes when to come again."""


class Refused(Exception):
    """reason: a short stable name. more: other fields of the answer. headers: of the answer."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}: {detail}")
        self.status = status
        self.reason = reason
        self.body: dict[str, object] = {"reason": reason, "detail": detail, **(more or {})}
        self.headers = dict(headers or {})
        if status in _PASSING:
            self.headers.setdefault("Retry-After", _RETRY_SECONDS)


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """One JSON value; dataclasses as objects."""
    return Response(orjson.dumps(value), status, headers, JSON)


def refusal_response(scope: Scope, refused: Refused) -> Response:
    """As it goes over the wire; the scope of its call is told why."""
    scope[REASON] = refused.reason
    return json_response(refused.body, refused.status, refused.headers)
