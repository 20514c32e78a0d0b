"""`upwell privacy` on a real broker: what is spent grows as epochs are told, a learner that is
killed brings nothing back, and a budget that is spent is said to be.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from tests.e2e.engine import Engine, bundled_log, send

RATINGS = 300
EPOCHS = 4
BUDGET = {
    "UPWELL_PRIVATE_EPSILON": "8",
    "UPWELL_PRIVATE_DELTA": "0.001",
    "UPWELL_PRIVATE_EPOCHS": str(EPOCHS),
    "UPWELL_PRIVATE_EPOCH_EXAMPLES": "40",
    "UPWELL_PRIVATE_GROWTH": "1",
}


def said(engine: Engine, *words: str) -> str:
    """What the command prints."""
    kafka = engine.settings.kafka
    own = {"UPWELL_KAFKA": kafka.address or "", "UPWELL_PREFIX": kafka.prefix}
    line = [sys.executable, "-m", "stream.ops.cli", "privacy", *words]
    done = subprocess.run(
        line, env={**os.environ, **own}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def report(engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(said(engine, "--json"))
    return found


@pytest.mark.timeout(600)
def test_the_account_on_a_broker_over_a_kill_until_it_is_spent(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    items, events = bundled_log(RATINGS)
    with (
        Engine(kafka, prefix, tmp_path, **BUDGET) as engine,
        KafkaProducer(acks="all", **engine.client) as producer,
    ):
        send(producer, prefix, [*items, *events[:100]])
        engine.wait(engine.settled, "the first hundred ratings")
        engine.wait(lambda: report(engine)["epochs"] == 2, "two epochs to be told")
        begun = report(engine)
        assert (begun["epsilon"], begun["delta"], begun["exhausted"]) == (8, 0.001, False)
        assert 0 < begun["spent"] < 8
        assert begun["users"] > 0

        os.kill(engine.supervisor.pids["learn"], signal.SIGKILL)
        send(producer, prefix, events[100:])
        engine.wait(engine.settled, "the other ratings")
        engine.wait(lambda: bool(report(engine)["exhausted"]), "the budget to be spent")
        ended = report(engine)
        assert begun["spent"] < ended["spent"] <= 8.001
        assert ended["epochs"] == EPOCHS
        assert "nothing is learned of new events" in said(engine)


@pytest.mark.timeout(600)
def test_without_a_budget_it_says_how_to_set_one(kafka: str, prefix: str, tmp_path: Path) -> None:
    with Engine(kafka, prefix, tmp_path) as engine:
        assert set(report(engine).values()) == {None}
        assert "UPWELL_PRIVATE_EPSILON" in said(engine)
