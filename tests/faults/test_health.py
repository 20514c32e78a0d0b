"""A real worker with one thread that hangs: all else goes on, and its health names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra import health
from tests.faults.engine import Engine, harness_settings
from tests.faults.inject import HANG, Fault
from tests.faults.replayed import bundled_slice
from upwell.events import Topic


@pytest.mark.timeout(400)
def test_a_chain_that_hangs_is_seen_in_health_though_lists_go_on(
    kafka: str,
    prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("UPWELL_KAFKA", kafka)
    monkeypatch.setenv("UPWELL_PREFIX", prefix)
    monkeypatch.setattr(health, "MAX_STILL_SECONDS", 2.0)
    part = bundled_slice(40)

    def said() -> str:
        health.main(["--own"])
        return capsys.readouterr().out

    with Engine(harness_settings(kafka, prefix, tmp_path)) as engine:
        engine.feed(part.items)
        engine.settle("the catalogue")
        engine.wait(lambda: said() == "serve-0, learn are at work\n", "a healthy engine")
        engine.restart_with("serve-0", Fault(HANG))
        engine.feed(part.items[:1])
        engine.wait(lambda: "serve-0's thread items stands still" in said(), "health to turn red")
        assert health.main(["--own"]) == health.main([]) == 1
        before = len(engine.seen(Topic.RECOMMENDATIONS))
        engine.feed(part.events)
        engine.wait(lambda: len(engine.seen(Topic.RECOMMENDATIONS)) > before, "lists to go on")
        engine.kill("serve-0")
        engine.start("serve-0")
        engine.wait(lambda: said() == "serve-0, learn are at work\n", "the worker to be well again")
