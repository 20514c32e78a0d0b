"""Records of a micro-batch in, their spans out, as a collector gets them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from stream.chain.publish import Outgoing
from stream.chain.records import Record
from stream.tracing.spans import Tracing
from upwell.events import Topic

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = (("traceparent", f"00-{TRACE}-{SPAN}-01".encode()),)
LEFT_OUT = (("traceparent", f"00-{TRACE}-{SPAN}-00".encode()),)
PUBLISH = ("publish_users", 13.0, 14.0)
STAGES = [("read_users", 11.0, 11.5), ("rank", 12.0, 12.5)]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def made(spans: InMemorySpanExporter, share: float = 0.0) -> Tracing:
    provider = TracerProvider(sampler=ParentBased(ALWAYS_ON))
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Tracing(provider, share, "shop.", dict)


def records(count: int) -> list[Record]:
    return [Record(Topic.CLICKS, 2, n, f"event {n}".encode(), 1_000) for n in range(count)]


def named(found: Sequence[ReadableSpan]) -> dict[str, list[ReadableSpan]]:
    by_name: dict[str, list[ReadableSpan]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    return by_name


def milliseconds(span: ReadableSpan, since: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    assert since.start_time is not None
    begin = since.start_time
    return round((span.start_time - begin) / 1e6), round((span.end_time - begin) / 1e6)


def test_an_event_of_a_trace_is_followed_from_the_app_to_its_list(
    spans: InMemorySpanExporter,
) -> None:
    batch = made(spans).begin(records(1), [SAMPLED], at=10.0)
    batch.stages += STAGES
    batch.end(PUBLISH, [])
    found = named(spans.get_finished_spans())
    assert list(found) == ["receive", "read_users", "rank", "publish_users", "process shop.clicks"]
    (event,) = found["process shop.clicks"]
    assert event.parent is not None
    assert event.context is not None
    assert (f"{event.parent.trace_id:032x}", f"{event.parent.span_id:016x}") == (TRACE, SPAN)
    assert event.kind is SpanKind.CONSUMER
    assert dict(event.attributes or {}) | {"upwell.waited_ms": 0} == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "shop.clicks",
        "messaging.destination.partition.id": "2",
        "messaging.kafka.offset": 0,
        "messaging.batch.message_count": 1,
        "upwell.waited_ms": 0,
    }, "where it stands, and nothing of what it says"
    (record,) = batch.records
    assert record.trace == (
        ("traceparent", f"00-{TRACE}-{event.context.span_id:016x}-01".encode()),
    )
    for name in ("receive", "read_users", "rank", "publish_users"):
        (stage,) = found[name]
        assert stage.parent is not None
        assert stage.parent.span_id == event.context.span_id
    times = {name: milliseconds(one[0], event) for name, one in found.items()}
    assert times == {
        "receive": (0, 1_000),
        "read_users": (1_000, 1_500),
        "rank": (2_000, 2_500),
        "publish_users": (3_000, 4_000),
        "process shop.clicks": (0, 4_000),
    }


def test_the_stages_of_a_batch_are_told_once_and_the_other_events_are_linked_to_them(
    spans: InMemorySpanExporter,
) -> None:
    tracing = made(spans)
    headers = [None, SAMPLED, (), SAMPLED, (("traceparent", b"none"),)]
    batch = tracing.begin(records(5), headers, at=10.0)
    batch.stages += STAGES
    batch.end(PUBLISH, [])
    found = named(spans.get_finished_spans())
    first, second = found["process shop.clicks"]
    assert [len(one) for one in found.values()] == [1, 1, 1, 1, 2]
    (stage,) = found["rank"]
    assert stage.parent == first.context
    assert not first.links
    assert [link.context for link in second.links] == [first.context]
    assert [bool(one.trace) for one in batch.records] == [False, True, False, True, False]


def test_a_trace_that_its_beginner_left_out_is_passed_on_as_such(
    spans: InMemorySpanExporter,
) -> None:
    batch = made(spans, share=1.0).begin(records(1), [LEFT_OUT], at=10.0)
    batch.end(PUBLISH, [])
    assert spans.get_finished_spans() == ()
    ((_, parent),) = batch.records[0].trace
    assert parent.startswith(f"00-{TRACE}-".encode())
    assert parent.endswith(b"-00")


def test_without_a_trace_of_its_own_the_share_begins_one_and_falls_alike_again(
    spans: InMemorySpanExporter,
) -> None:
    def begun(share: float) -> list[int]:
        batch = made(spans, share).begin(records(4_000), [()] * 4_000, at=10.0)
        return [one.offset for one in batch.records if one.trace]

    tenth = begun(0.1)
    assert 300 < len(tenth) < 500
    assert begun(0.1) == tenth, "a redelivered record"
    assert len(begun(1.0)) == 4_000
    assert begun(0.0) == []


def test_an_event_that_became_a_dead_letter_is_an_error(spans: InMemorySpanExporter) -> None:
    batch = made(spans).begin(records(2), [SAMPLED, SAMPLED], at=10.0)
    batch.end(PUBLISH, [Outgoing(Topic.DEAD_LETTERS, b"clicks-2-1", b"{}")])
    found = named(spans.get_finished_spans())
    states = [one.status.status_code for one in found["process shop.clicks"]]
    assert states == [StatusCode.UNSET, StatusCode.ERROR]
    assert milliseconds(found["receive"][0], found["receive"][0]) == (0, 3_000)


def test_learning_from_examples_is_part_of_each_of_their_traces(
    spans: InMemorySpanExporter,
) -> None:
    polled = {
        "examples-0": [
            SimpleNamespace(headers=[*SAMPLED, *SAMPLED]),
            SimpleNamespace(headers=[]),
            SimpleNamespace(headers=list(LEFT_OUT)),
        ]
    }
    with made(spans).learning(polled):
        assert spans.get_finished_spans() == ()
    found = spans.get_finished_spans()
    assert [one.name for one in found] == ["learn", "learn"]
    assert {f"{one.parent.span_id:016x}" for one in found if one.parent} == {SPAN}
