"""The spans of a worker (docs/decisions/0036): one for each traced event, from where it is taken in
until its list is out; the stages of a micro-batch once, below the first of them, which the others
are linked to; and one where the learner learns from it.

No span names a user, an item or what an event says: only where its record stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from zlib import crc32

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, set_span_in_context

from stream.chain.publish import Outgoing
from stream.chain.records import Record
from stream.tracing.start import Stage
from upwell.events import Topic
from upwell.system.trace_context import TraceContext

__all__ = ["RECEIVE", "TracedBatch", "Tracing"]

RECEIVE = "receive"
"""What comes before the states are read: the model's news, records to events, duplicates out."""

Given = Iterable[tuple[str, bytes | None]] | None
"""A record's headers, as its producer wrote them."""


class Tracing:
    """spans: what makes them. share: of records without a trace that begin one, by lot; a record
    that comes again falls alike. prefix: of the topics. report: what became of the spans.
    """

    def __init__(
        self,
        spans: TracerProvider,
        share: float,
        prefix: str,
        report: Callable[[], Mapping[str, int]],
    ) -> None:
        self.report = report
        self.context = TraceContext()
        self.tracer = spans.get_tracer("upwell")
        self._below = share * 2**32
        self._prefix = prefix

    def begin(self, records: Sequence[Record], headers: Sequence[Given], at: float) -> TracedBatch:
        """Of a micro-batch that begins now, `at` by the meter's clock: its records with the headers
        for what comes of them.
        """
        batch = TracedBatch(self, records, at)
        for place, (record, given) in enumerate(zip(records, headers, strict=True)):
            parent = next(self.context.contexts(given), None) if given else None
            if parent is not None or self._falls(record):
                batch.follow(place, self._attributes(record), parent or Context())
        return batch

    @contextmanager
    def learning(self, polled: Mapping[Any, Sequence[Any]]) -> Iterator[None]:
        """While the examples of these records of Kafka are learned from."""
        began = time.time_ns()
        yield
        ended = time.time_ns()
        given = (one.headers for records in polled.values() for one in records if one.headers)
        for context in (found for headers in given for found in self.context.contexts(headers)):
            self.tracer.start_span("learn", context, start_time=began).end(ended)

    def _falls(self, record: Record) -> bool:
        return crc32(record.value or record.key or b"") < self._below

    def _attributes(self, record: Record) -> dict[str, str | int]:
        return {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": self._prefix + record.topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
            "upwell.waited_ms": max(0, time.time_ns() // 1_000_000 - record.appended_ms),
        }


class TracedBatch:
    """records: with the headers of their spans. stages: the meter writes them there, on the chain's
    thread, between `follow` and `end`.
    """

    def __init__(self, tracing: Tracing, records: Sequence[Record], at: float) -> None:
        self.records = list(records)
        self.stages: list[Stage] = []
        self._tracing = tracing
        self._began = at
        self._offset_ns = time.time_ns() - int(at * 1e9)
        self._spans: list[tuple[int, Span]] = []

    def follow(self, place: int, attributes: Mapping[str, str | int], parent: Context) -> None:
        """Record number `place` has a span; one whose trace its beginner left out has none, and is
        passed on as such.
        """
        record = self.records[place]
        first = [Link(span.get_span_context()) for _, span in self._spans[:1]]
        span = self._tracing.tracer.start_span(
            f"process {attributes['messaging.destination.name']}",
            parent,
            SpanKind.CONSUMER,
            {**attributes, "messaging.batch.message_count": len(self.records)},
            first,
            self._ns(self._began),
        )
        trace = self._tracing.context.headers(set_span_in_context(span, Context()))
        self.records[place] = replace(record, trace=trace)
        if span.is_recording():
            self._spans.append((place, span))

    def end(self, publish: Stage, sent: Sequence[Outgoing]) -> None:
        """All replicas have what came of it. publish: the last stage."""
        if not self._spans:
            return
        began = self._began
        received = self.stages[0][1] if self.stages else publish[1]
        below = set_span_in_context(self._spans[0][1], Context())
        for name, start, end in [(RECEIVE, began, received), *self.stages, publish]:
            stage = self._tracing.tracer.start_span(name, below, start_time=self._ns(start))
            stage.end(self._ns(end))
        letters = {one.key for one in sent if one.topic is Topic.DEAD_LETTERS}
        for place, span in self._spans:
            record = self.records[place]
            if f"{record.topic}-{record.partition}-{record.offset}".encode() in letters:
                span.set_status(Status(StatusCode.ERROR, "dead letter"))
            span.end(self._ns(publish[2]))

    def _ns(self, at: float) -> int:
        return self._offset_ns + int(at * 1e9)
