"""Traces, where `UPWELL_TRACE` asks for them. Off, nothing of OpenTelemetry is imported and
nothing is left to ask of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from upwell.settings import Settings
from upwell.system.trace_context import needs_package

if TYPE_CHECKING:
    from stream.tracing.spans import Tracing

__all__ = ["Stage", "tracing"]

Stage = tuple[str, float, float]
"""Of a micro-batch: its name, beginning and end, by the meter's clock."""


@contextmanager
def tracing(settings: Settings, role: str) -> Iterator[Tracing | None]:
    """Of a worker of this role; None where it is off. At the end what waits is sent, for at most
    two seconds.

    Raises `SettingsError` where OpenTelemetry is missing, or told what it cannot do.
    """
    share = settings.tracing.share
    if not share:
        yield None
        return
    try:
        from stream.tracing.collector import Collector, provider
    except ImportError as exc:
        raise needs_package(f"UPWELL_TRACE is {share:g}") from exc
    from stream.tracing.spans import Tracing

    collector = Collector()
    spans = provider(collector, role, settings.stream.instance)
    try:
        yield Tracing(spans, share, settings.kafka.prefix, collector.report)
    finally:
        collector.leave(spans)
