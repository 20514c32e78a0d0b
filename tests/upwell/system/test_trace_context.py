"""Headers of Kafka's records to traces and back."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import get_current_span, set_span_in_context

from upwell.errors import SettingsError
from upwell.system.trace_context import TraceContext

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00"


def traces(*headers: tuple[str, bytes | None]) -> list[tuple[str, bool, str]]:
    """Of each trace its id, whether it is sampled, and its state."""
    spans = [get_current_span(one).get_span_context() for one in TraceContext().contexts(headers)]
    return [
        (f"{one.trace_id:032x}", one.trace_flags.sampled, one.trace_state.to_header())
        for one in spans
    ]


def test_what_was_written_is_read() -> None:
    context = TraceContext()
    with TracerProvider().get_tracer("t").start_as_current_span("app") as span:
        written = context.headers()
        assert written == context.headers(set_span_in_context(span))
    assert traces(*written) == [(f"{span.get_span_context().trace_id:032x}", True, "")]
    assert context.headers() == (), "outside of any trace"


def test_a_record_of_many_events_names_each_trace_with_its_state() -> None:
    found = traces(
        ("x", b"1"),
        ("traceparent", PARENT.encode()),
        ("tracestate", b"a=1"),
        ("traceparent", OTHER.encode()),
    )
    assert found == [(PARENT[3:35], True, "a=1"), (OTHER[3:35], False, "")]
    before = traces(("tracestate", b"a=1"), ("traceparent", PARENT.encode()))
    assert before == [(PARENT[3:35], True, "a=1")], "in whichever order"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xfe",
        b"garbage",
        b"x" * 100_000,
        PARENT[:-1].encode(),
        PARENT.upper().encode(),
        PARENT.replace("00-", "ff-", 1).encode(),
        f"00-{'0' * 32}-b7ad6b7169203331-01".encode(),
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01".encode(),
    ],
)
def test_what_is_no_trace_is_none(value: bytes | None) -> None:
    assert traces(("traceparent", value)) == []
    assert traces(("traceparent", value), ("traceparent", PARENT.encode())) == [
        (PARENT[3:35], True, "")
    ]


def test_a_state_that_is_none_leaves_the_trace() -> None:
    assert traces(("traceparent", PARENT.encode()), ("tracestate", b"\xff=,,=\x00")) == [
        (PARENT[3:35], True, "")
    ]


def test_a_missing_package_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace.propagation.tracecontext", None)
    with pytest.raises(SettingsError, match=r"pip install 'upwell\[trace\]'"):
        TraceContext()
