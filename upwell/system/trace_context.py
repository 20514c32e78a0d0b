"""The trace that a record is part of, in its headers: W3C's Trace Context
(https://www.w3.org/TR/trace-context/), read and written by OpenTelemetry's own propagator.

OpenTelemetry is imported when `TraceContext` is made, and only then. It knows nothing of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from upwell.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["Headers", "TraceContext", "needs_package"]

Headers = tuple[tuple[str, bytes], ...]
"""Of a record on Kafka, where a name may come again."""

_PARENT, _STATE = "traceparent", "tracestate"


def needs_package(what: str) -> SettingsError:
    """`what` asks for traces, and OpenTelemetry is not installed."""
    return SettingsError(f"{what}: traces need OpenTelemetry, pip install 'upwell[trace]'")


class TraceContext:
    """Contexts to headers and back. Raises `SettingsError` where OpenTelemetry is missing."""

    def __init__(self) -> None:
        try:
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as exc:
            raise needs_package("trace=True") from exc
        self._propagator = TraceContextTextMapPropagator()

    def headers(self, context: Context | None = None) -> Headers:
        """Of `context`, or of the one that the caller is in; none where that is no trace."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, context)
        return tuple((name, value.encode()) for name, value in carrier.items())

    def contexts(self, headers: Iterable[tuple[str, bytes | None]]) -> Iterator[Context]:
        """Of each trace that the headers name, in their order. What is none, as other people's
        programs may write it, is left out.
        """
        carrier: dict[str, str] = {}
        for name, value in headers:
            if name == _PARENT and _PARENT in carrier:
                yield from self._context(carrier)
                carrier = {}
            if name in (_PARENT, _STATE):
                carrier[name] = (value or b"").decode("ascii", "replace")
        yield from self._context(carrier)

    def _context(self, carrier: dict[str, str]) -> Iterator[Context]:
        if _PARENT in carrier and (found := self._propagator.extract(carrier)):
            yield found  # a context is a mapping, and empty where there was none
