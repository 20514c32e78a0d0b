"""Spans on their way out: a collector that is away or slow costs spans, which are counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from stream.tracing.collector import QUEUE_SPANS, Collector, provider
from tests.e2e.engine import wait_until
from tests.stream.tracing.receiver import Receiver
from upwell.errors import SettingsError


@pytest.fixture(autouse=True)
def logger() -> Iterator[None]:
    """As it was before."""
    found = logging.getLogger("opentelemetry")
    handlers, propagate = found.handlers, found.propagate
    yield
    found.handlers, found.propagate = handlers, propagate


class Slow(SpanExporter):
    """Takes what it is given, and does not come back before it is let."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.go = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.came.set()
        self.go.wait()
        return SpanExportResult.SUCCESS


def test_spans_reach_a_collector_with_who_made_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
        collector = Collector()
        spans = provider(collector, "serve", "serve-7")
        spans.get_tracer("t").start_span("one").end()
        collector.leave(spans)
        ((service, span),) = receiver.spans
    assert (service, span.name) == ("upwell-serve", "one")
    assert collector.report() == {"ended": 1, "dropped": 0}
    assert spans.resource.attributes["service.instance.id"] == "serve-7"


def test_the_operator_s_names_go_before_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=a,deployment=eu")
    collector = Collector(Slow())
    spans = provider(collector, "serve", "serve-7")
    collector.leave(spans)
    told = spans.resource.attributes
    names = ("service.name", "service.instance.id", "deployment")
    assert [told[one] for one in names] == ["shop", "a", "eu"]


def test_a_slow_collector_costs_spans_and_no_wait() -> None:
    slow = Slow()
    collector = Collector(slow)
    spans = provider(collector, "serve", "serve-0")
    tracer = spans.get_tracer("t")
    count = 2 * QUEUE_SPANS
    for _ in range(count):  # nothing here waits for the exporter, which does not come back
        tracer.start_span("one").end()
    assert slow.came.wait(30)
    told = collector.report()
    assert told["ended"] == count
    assert count - QUEUE_SPANS - 1_024 <= told["dropped"] <= count - QUEUE_SPANS
    slow.go.set()
    assert collector.force_flush()
    assert collector.report() == told, "what waited was sent"
    collector.leave(spans)


def test_a_collector_that_is_away_is_said_once_and_its_spans_are_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
        receiver.status = 400  # one that is not tried again
        collector = Collector()
        spans = provider(collector, "serve", "serve-0")
        tracer = spans.get_tracer("t")
        for count in (1, 2):
            tracer.start_span("one").end()
            wait_until(lambda count=count: collector.report()["dropped"] == count, "two tries")  # type: ignore[misc]
        receiver.status = 200
        tracer.start_span("two").end()
        wait_until(lambda: bool(receiver.spans), "the third")
        collector.leave(spans)
    assert collector.report() == {"ended": 3, "dropped": 2}
    first, second = [one.getMessage() for one in caplog.records]
    assert first.startswith("the collector of traces does not answer (")
    assert "400" in first
    assert second.startswith("the collector of traces answers again")


def test_the_end_does_not_wait_for_a_collector_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stream.tracing.collector.LEAVE_SECONDS", 0.05)
    slow = Slow()
    collector = Collector(slow)
    spans = provider(collector, "serve", "serve-0")
    spans.get_tracer("t").start_span("one").end()
    collector.leave(spans)
    assert not slow.go.is_set(), "it still hangs"
    slow.go.set()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "is grpc: Upwell sends http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc", "OTLP_TRACES_PROTOCOL is grpc"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000", "max_export_batch_size"),
    ],
)
def test_what_cannot_be_done_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told):
        Collector()
