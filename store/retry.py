"""Which faults of a Qdrant server pass by themselves, how long they are waited for, and what is
said when they do not.

It knows nothing about points; what it repeats must be safe to repeat.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc  # type: ignore[import-untyped]
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from upwell.errors import StoreError
from upwell.system.outage import Outage

__all__ = ["PATIENCE_SECONDS", "Retry"]

PATIENCE_SECONDS = 60.0
"""Twice as long as what is to end nothing; the watchdog of serve waits for twice as long again."""
LONGEST_ASKED_SECONDS = 5.0
"""That a server which has too much to do may ask for."""

log = logging.getLogger("upwell.store")

T = TypeVar("T")

FAULTS = (grpc.RpcError, ApiException, QdrantException, ValueError)
TRANSIENT_CODES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
    }
)
"""Calls are cancelled by a server that shuts down, and by nobody here."""
REFUSED_CODES = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})


@dataclass(frozen=True, slots=True)
class Retry:
    """Again for `seconds`, the pauses doubling from `first_pause_seconds` up to
    `longest_pause_seconds`. clock: monotonic seconds.
    """

    seconds: float = PATIENCE_SECONDS
    first_pause_seconds: float = 0.1
    longest_pause_seconds: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def call(self, what: str, where: str, action: Callable[[], T]) -> T:
        """The action's result; `StoreError` naming `what`, `where` and the mending when it keeps
        failing. A server that is away is said once, and once more when it is back.
        """
        pause, outage = self.first_pause_seconds, Outage(log, f"{what}: {where}", self.clock)
        while True:
            try:
                found = action()
            except FAULTS as exc:
                if not _transient(exc) or outage.lasts(_describe(exc)) > self.seconds:
                    raise StoreError(
                        f"{what} at {where} failed ({_describe(exc)}): {_mend(exc)}"
                    ) from exc
                asked = exc.retry_after_s if isinstance(exc, ResourceExhaustedResponse) else 0
            else:
                outage.over()
                return found
            self.sleep(max(min(asked, LONGEST_ASKED_SECONDS), pause))
            pause = min(2 * pause, self.longest_pause_seconds)


def _transient(exc: Exception) -> bool:
    if isinstance(exc, grpc.RpcError):
        return _code(exc) in TRANSIENT_CODES
    if isinstance(exc, UnexpectedResponse):
        return exc.status_code is not None and (exc.status_code == 429 or exc.status_code >= 500)
    return isinstance(exc, ResponseHandlingException | ResourceExhaustedResponse)


def _mend(exc: Exception) -> str:
    if isinstance(exc, grpc.RpcError) and _code(exc) in REFUSED_CODES:
        return "check the api key"
    if _transient(exc):
        return "check that the Qdrant server runs and that its gRPC port can be reached"
    return "check the server's log and version"


def _describe(exc: Exception) -> str:
    """One line; never the call's metadata, where the key is."""
    if isinstance(exc, grpc.RpcError):
        details = exc.details() if isinstance(exc, grpc.Call) else None
        code = _code(exc)
        return f"{code.name if code else 'RPC error'}: {_line(details)}"
    return f"{type(exc).__name__}: {_line(str(exc))}"


def _code(exc: grpc.RpcError) -> grpc.StatusCode | None:
    return exc.code() if isinstance(exc, grpc.Call) else None


def _line(text: str | None) -> str:
    return " ".join((text or "no details").split())[:200]
