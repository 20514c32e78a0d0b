"""What comes of a traced event carries its trace on: the list, an event that is sent on, examples.
With a collector: tests/e2e/watched/test_tracing.py.
"""

from __future__ import annotations

from dataclasses import replace

from stream.broker.topics import partition_of
from stream.chain.effects import Effects
from stream.chain.publish import user_records
from stream.chain.records import Record
from tests.stream.chain.chain import NOW_MS, PARTITIONS, Chain, record
from tests.stream.chain.test_publish import sized
from upwell.events import Topic
from upwell.system.trace_context import Headers

OWN = partition_of(b"ann", PARTITIONS)


def traced(offset: int, partition: int) -> tuple[Record, Headers]:
    event = {"user_id": "ann", "item_id": f"i{offset}", "action": "click"}
    trace = (("traceparent", f"trace-{offset}".encode()),)
    return replace(record(Topic.CLICKS, offset, event, partition=partition), trace=trace), trace


def carried(records: list[Record]) -> dict[Topic, list[Headers]]:
    """By topic the traces in each record that is published."""
    found: dict[Topic, list[Headers]] = {}
    for one in user_records(Chain().pipeline.run(records, NOW_MS), NOW_MS):
        trace = tuple(header for header in one.headers if header[0] == "traceparent")
        found.setdefault(one.topic, []).append(trace)
    return found


def test_a_list_has_its_triggers_trace_and_the_examples_have_all() -> None:
    (first, one), (second, two) = traced(0, OWN), traced(1, OWN)
    assert carried([first, second]) == {
        Topic.RECOMMENDATIONS: [two],
        Topic.EXAMPLES: [one + two],
    }


def test_of_examples_in_several_records_the_first_has_the_traces() -> None:
    had = tuple(f"item-{number:020}" for number in range(10_000))
    examples = tuple(sized(offset, had) for offset in range(40))
    traces = {(examples[0].source, 0): (("traceparent", b"one"),)}
    sent = list(user_records(Effects(examples=examples, traces=traces), NOW_MS))
    assert len(sent) > 1
    assert [len(one.headers) for one in sent] == [1] + [0] * (len(sent) - 1)


def test_an_event_that_is_sent_on_takes_its_trace_along() -> None:
    stray, trace = traced(0, (OWN + 1) % PARTITIONS)
    assert carried([stray]) == {Topic.REROUTED: [trace]}


def test_what_has_no_trace_is_given_none() -> None:
    bare = replace(traced(0, OWN)[0], trace=())
    assert carried([bare]) == {Topic.RECOMMENDATIONS: [()], Topic.EXAMPLES: [()]}
