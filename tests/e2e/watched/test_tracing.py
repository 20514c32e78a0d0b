"""A trace that an app begins goes on from its event to the list, and to what is learned of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import get_current_span

from tests.e2e.engine import Engine, bundled_log, send
from tests.stream.runs.test_tensorboard import events as curve_events
from tests.stream.tracing.receiver import Receiver
from upwell.client import UpwellClient
from upwell.codec import parse_recommendations
from upwell.events import Click, Topic
from upwell.partition import partition_of
from upwell.schema import event_value
from upwell.system.trace_context import Headers, TraceContext

pytestmark = pytest.mark.timeout(600)

STAGES = {"receive", "read_users", "rank", "write_users", "publish_users"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def of_trace(receiver: Receiver, trace: int) -> list[tuple[str, Span]]:
    wanted = trace.to_bytes(16, "big")
    return [(service, span) for service, span in receiver.spans if span.trace_id == wanted]


class Lists:
    """What is published for `user`, with its headers."""

    def __init__(self, engine: Engine, prefix: str, user: str) -> None:
        self._user = user.encode()
        self._consumer = KafkaConsumer(group_id=None, auto_offset_reset="earliest", **engine.client)
        topic = prefix + Topic.RECOMMENDATIONS
        partition = TopicPartition(
            topic, partition_of(self._user, engine.settings.kafka.partitions)
        )
        self._consumer.assign([partition])
        self._consumer.seek_to_beginning(partition)
        self._found: dict[str, Headers] = {}

    def headers(self, trigger: str) -> Headers:
        """Of the list of this event, once it came."""
        deadline = time.monotonic() + 120
        while trigger not in self._found:
            assert time.monotonic() < deadline, f"no list of {trigger}"
            for records in self._consumer.poll(timeout_ms=200).values():
                for one in records:
                    if one.key == self._user:
                        found = parse_recommendations(one.value)
                        self._found[found.trigger] = tuple(one.headers)
        return self._found[trigger]

    def close(self) -> None:
        self._consumer.close()


def parent_of(headers: Headers) -> tuple[int, int]:
    """Trace and span that a subscriber goes on from."""
    (context,) = TraceContext().contexts(headers)
    span = get_current_span(context).get_span_context()
    return span.trace_id, span.span_id


def test_one_event_is_one_trace_from_the_client_to_its_list(
    kafka: str, prefix: str, tmp_path: Path, receiver: Receiver
) -> None:
    items, _ = bundled_log(20)
    on = {
        "UPWELL_TRACE": "0.000001",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "UPWELL_TRACK": f"tensorboard:{tmp_path / 'curves'}",
        "UPWELL_TRACK_SECONDS": "1",
    }
    tracer = TracerProvider().get_tracer("app")
    with Engine(kafka, prefix, tmp_path / "data", **on) as engine:
        with KafkaProducer(**engine.client) as producer:
            send(producer, prefix, items)
        engine.wait(engine.settled, "the catalogue")
        lists = Lists(engine, prefix, "ann")
        item = (items[0].key or b"").decode()
        with UpwellClient(kafka, engine.settings.kafka, trace=True) as client:
            with tracer.start_as_current_span("app") as app:
                clicked = client.click("ann", item, "like")
            alone = client.query("ann", "space opera")
        began = app.get_span_context()
        trace, subscriber = parent_of(lists.headers(clicked.event_id))
        assert trace == began.trace_id
        engine.wait(
            lambda: "learn" in {span.name for _, span in of_trace(receiver, trace)}, "its spans"
        )
        spans = of_trace(receiver, trace)
        by_name = {span.name: (service, span) for service, span in spans}
        service, event = by_name[f"process {prefix}clicks"]
        assert service == "upwell-serve"
        assert event.parent_span_id == began.span_id.to_bytes(8, "big")
        assert event.span_id == subscriber.to_bytes(8, "big"), "a subscriber goes on from it"
        assert set(by_name) >= STAGES
        assert {by_name[name][1].parent_span_id for name in STAGES} == {event.span_id}
        service, learned = by_name["learn"]
        assert (service, learned.parent_span_id) == ("upwell-learn", event.span_id)
        said = str([(one.name, one.attributes) for _, one in spans])
        assert not [one for one in ("ann", clicked.event_id) if f'"{one}"' in said]
        # without a trace of its own, and with what is none: a list, no trace, no dead letter
        assert "traceparent" not in dict(lists.headers(alone.event_id))
        for event_id, followed in strays(engine, prefix, clicked, trace).items():
            headers = lists.headers(event_id)
            assert ("traceparent" in dict(headers)) is followed, event_id
            assert not followed or parent_of(headers)[0] == trace
        lists.close()
        engine.wait(engine.settled, "all of it")
        record = engine.metrics.newest("serve")
        assert record is not None
        assert sum(record["dead_letters"].values()) == 0
        assert record["counts"]["rerouted"] == 1
        assert record["spans"]["dropped"] == 0
    processed = [one for _, one in of_trace(receiver, trace) if one.name.startswith("process ")]
    assert {f"process {prefix}rerouted", f"process {prefix}clicks"} == {
        one.name for one in processed
    }
    drawn = {one.tag for event in curve_events(tmp_path / "curves") for one in event.summary.value}
    assert {"examples", "gate/fused", "gate_weights"} <= drawn


def strays(engine: Engine, prefix: str, like: Click, trace: int) -> dict[str, bool]:
    """Events of another producer, by whether they are part of the trace: on another partition than
    their user's, and with headers that name no trace.
    """
    parent = f"00-{trace:032x}-{1:016x}-01".encode()
    own = partition_of(b"ann", engine.settings.kafka.partitions)
    other = (own + 1) % engine.settings.kafka.partitions
    sent: dict[str, tuple[int, list[tuple[str, bytes]]]] = {
        "astray": (other, [("traceparent", parent)]),
        "garbage": (own, [("traceparent", b"\xff garbage"), ("tracestate", b"\x00")]),
        "nothing": (own, [("traceparent", b"")]),
    }
    with KafkaProducer(**engine.client) as producer:
        for event_id, (partition, headers) in sent.items():
            value = event_value(like) | {"event_id": event_id}
            producer.send(
                prefix + Topic.CLICKS,
                key=b"ann",
                value=orjson.dumps(value),
                partition=partition,
                headers=headers,
            )
            producer.flush()
            engine.wait(engine.settled, event_id)  # each in a batch of its own: a list each
    return {event_id: event_id == "astray" for event_id in sent}


def test_a_collector_that_hangs_holds_up_no_list_and_no_end(
    kafka: str, prefix: str, tmp_path: Path, receiver: Receiver
) -> None:
    items, events = bundled_log(100)
    receiver.open.clear()
    on = {
        "UPWELL_TRACE": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with Engine(kafka, prefix, tmp_path, **on) as engine:
        with KafkaProducer(**engine.client) as producer:
            send(producer, prefix, (*items, *events))
        engine.wait(engine.settled, "the events")

        def dropped() -> bool:
            record = engine.metrics.newest("serve")
            assert record is not None
            return bool(record["spans"]["dropped"] > 0)

        engine.wait(dropped, "spans that no collector got, counted")

        def counted() -> bool:
            record = engine.metrics.newest("serve")
            assert record is not None
            return bool(record["counts"]["events"] == len(events))

        engine.wait(counted, "each event, once")
    assert receiver.spans == []
