"""Spans on their way to a collector: OTLP over HTTP, on a thread of its own, from a queue that is
bounded. A collector that is away or slow costs spans, which are counted, and nothing else.

Where it is, and what it is told of this process, stands in OpenTelemetry's own variables: OTEL_*.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased

from upwell.errors import SettingsError
from upwell.system.outage import Outage
from upwell.system.threads import start_thread

__all__ = ["QUEUE_SPANS", "Collector", "provider"]

QUEUE_SPANS = 8_192
"""That wait at most: some 10 MB."""
LEAVE_SECONDS = 2.0
"""That a worker's end waits for what is not sent yet."""
PROTOCOL = "http/protobuf"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

log = logging.getLogger("upwell.tracing")


class _LastWord(logging.Handler):
    """Keeps why OpenTelemetry could not send, which it says at each try, for whom says it once."""

    said = "no reason given"

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()


class _Exporter(SpanExporter):
    """`exporter`, counted. taken: spans that came out of the queue. lost: of these."""

    def __init__(self, exporter: SpanExporter, word: _LastWord) -> None:
        self._exporter = exporter
        self._word = word
        self._outage = Outage(log, "the collector of traces", time.monotonic)
        self.taken = 0
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        try:
            result = self._exporter.export(spans)
        except Exception as exc:  # of whatever kind: it is told, and no list waits for it
            self._word.said = f"{type(exc).__name__}: {exc}"
            result = SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self._outage.over()
        else:
            self.lost += len(spans)
            self._outage.lasts(self._word.said)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Collector(BatchSpanProcessor):
    """Takes ended spans. exporter: another one than OTLP's, for a test.

    Raises `SettingsError` where a variable names what cannot be done.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        asked = {name: os.environ[name] for name in _PROTOCOLS if os.environ.get(name)}
        for name, protocol in asked.items():
            if protocol != PROTOCOL:
                raise SettingsError(f"{name} is {protocol}: Upwell sends {PROTOCOL}; leave it out")
        word = _LastWord()
        logger = logging.getLogger("opentelemetry")
        logger.handlers, logger.propagate = [word], False
        self._ended = 0
        self._refused = 0
        try:
            self._sent_by = _Exporter(exporter or OTLPSpanExporter(), word)
            super().__init__(self._sent_by, max_queue_size=QUEUE_SPANS)
        except (ValueError, OSError) as exc:
            raise SettingsError(f"traces cannot be sent as OTEL_* say: {exc}") from exc

    def on_end(self, span: ReadableSpan) -> None:
        """Never waits. Called by one thread."""
        if self._ended - self._refused - self._sent_by.taken >= QUEUE_SPANS:
            self._refused += 1
        else:
            super().on_end(span)
        self._ended += 1

    def report(self) -> dict[str, int]:
        """JSON-ready: spans that ended, and how many of them no collector got."""
        return {"ended": self._ended, "dropped": self._refused + self._sent_by.lost}

    def leave(self, spans: TracerProvider) -> None:
        """Sends what waits; returns after `LEAVE_SECONDS` at the latest."""
        start_thread("tracing", spans.shutdown).join(LEAVE_SECONDS)


def provider(collector: Collector, role: str, instance: str) -> TracerProvider:
    """What makes the spans of a worker. Begins a trace wherever it is asked, and goes on with one
    as its beginner chose: the lot is drawn before (`stream.tracing.spans`).
    """
    own = {SERVICE_NAME: f"upwell-{role}", SERVICE_INSTANCE_ID: instance}
    told = OTELResourceDetector().detect().attributes
    made = TracerProvider(
        sampler=ParentBased(ALWAYS_ON),
        resource=Resource.create({key: one for key, one in own.items() if key not in told}),
        shutdown_on_exit=False,
    )
    made.add_span_processor(collector)
    return made
