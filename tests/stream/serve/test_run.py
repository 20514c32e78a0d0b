"""What the serve process knows of its partitions, also before Faust does."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from stream.broker.lag import Backlog
from stream.serve.faust_app import faust_app
from stream.serve.run import _own_partitions, _own_work
from stream.serve.watchdog import STALL_SECONDS, Stall
from upwell.settings import KafkaSettings, Settings


def test_a_worker_that_still_starts_owns_nothing(tmp_path: Path) -> None:
    """Faust raises `ConsumerNotStarted` until then, maybe after the watchdog's first look."""
    kafka = KafkaSettings(address="127.0.0.1:9")
    app = faust_app(replace(Settings(), kafka=kafka, data=tmp_path))
    # its thread never starts, so Faust never closes the loop that it made for it
    consumer: Any = app.consumer
    with closing(consumer._thread.thread_loop):
        assert _own_partitions(app) == set()


def test_a_worker_that_waits_for_encode_workers_is_not_stalled_until_it_does_not_wait() -> None:
    stall, backlog = Stall(STALL_SECONDS), Backlog(behind=7, done=3)
    waits = {"users": 1.0}
    looks = [stall.look(10.0 * number, _own_work(backlog, waits)) for number in range(100)]
    assert looks == [None] * 100
    assert stall.look(1_000.0, _own_work(backlog, {})) is None
    reason = stall.look(1_000.0 + STALL_SECONDS, _own_work(backlog, {}))
    assert reason is not None
    assert reason.startswith("stalled: 7 records wait")
