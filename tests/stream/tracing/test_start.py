"""Traces on and off, and what that costs where it is off."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from stream.tracing.start import tracing
from tests.stream.tracing.receiver import Receiver
from upwell.errors import SettingsError
from upwell.settings import Settings, TracingSettings

ON = replace(Settings(), tracing=TracingSettings(share=0.5))


def test_off_there_is_nothing_to_ask() -> None:
    with tracing(Settings(), "serve") as found:
        assert found is None


def test_off_nothing_of_opentelemetry_is_imported() -> None:
    code = (
        "import sys, stream.serve.run, stream.learn.run, upwell\n"
        "from stream.tracing.start import tracing\n"
        "from upwell.settings import Settings\n"
        "with tracing(Settings(), 'serve'): pass\n"
        "print([name for name in sys.modules if 'opentelemetry' in name or 'tensorboard' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_on_what_waits_is_sent_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
        with tracing(ON, "learn") as found:
            assert found is not None
            found.tracer.start_span("one").end()
        assert [service for service, _ in receiver.spans] == ["upwell-learn"]
        assert found.report() == {"ended": 1, "dropped": 0}


def test_a_missing_package_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "stream.tracing.collector", raising=False)
    message = r"UPWELL_TRACE is 0\.5: .*pip install 'upwell\[trace\]'"
    with pytest.raises(SettingsError, match=message), tracing(ON, "serve"):
        pytest.fail("it is not there")
