"""Two `upwell run` on one prefix, each with a data folder of its own, as somebody starts them who
wants more machines: the second says what to set, and the first goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.broker.topics import ensure_topics
from stream.ops.cluster import Metrics
from tests.e2e.engine import wait_until
from upwell.client import UpwellClient, client_options
from upwell.settings import KafkaSettings, Settings

COMMAND = (sys.executable, "-P", "-m", "upwell", "run")


@contextmanager
def upwell_run(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`upwell run` until the end of the block; what it and its workers say is in `log`."""
    with (
        log.open("wb") as said,
        subprocess.Popen(COMMAND, env=environ, stdout=said, stderr=said) as engine,
    ):
        try:
            yield engine
        finally:
            engine.send_signal(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_second_of_two_says_what_to_set_and_the_first_goes_on(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    on = KafkaSettings(address=kafka, prefix=prefix)
    ensure_topics(prefix, on.partitions, client_options(on))
    own = {**os.environ, "UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_FUSED": "off"}
    metrics = Metrics(Settings(kafka=on))
    metrics.start()
    with upwell_run({**own, "UPWELL_DATA": str(tmp_path / "1")}, tmp_path / "log") as first:
        wait_until(lambda: bool(metrics.newest("learn")), f"learn; log {tmp_path / 'log'}")
        metrics.stop()
        second = {**own, "UPWELL_DATA": str(tmp_path / "2")}
        done = subprocess.run(COMMAND, env=second, capture_output=True, text=True, timeout=120)
        assert done.returncode == 2, done.stderr
        told = [line for line in done.stderr.splitlines() if "another engine (" in line]
        assert 1 <= len(told) <= 2, "by the first of the roles, and by the other if it was as quick"
        for line in told:
            assert "needs another UPWELL_PREFIX" in line
            assert "`upwell run --roles serve" in line
        with UpwellClient(kafka, on) as upwell:
            lists = upwell.lists("ann", timeout=60)
            upwell.item("i0", "a title")
            clicked = upwell.click("ann", "i0")
            upwell.flush()
            assert next(lists).trigger == clicked.event_id
        assert first.poll() is None
