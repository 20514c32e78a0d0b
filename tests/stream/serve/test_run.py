"""What the serve process knows of its partitions, also before Faust does."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from stream.serve.faust_app import faust_app
from stream.serve.run import _own_partitions
from upwell.settings import KafkaSettings, Settings


def test_a_worker_that_still_starts_owns_nothing(tmp_path: Path) -> None:
    """Faust raises `ConsumerNotStarted` until then, maybe after the watchdog's first look."""
    kafka = KafkaSettings(address="127.0.0.1:9")
    app = faust_app(replace(Settings(), kafka=kafka, data=tmp_path))
    # its thread never starts, so Faust never closes the loop that it made for it
    consumer: Any = app.consumer
    with closing(consumer._thread.thread_loop):
        assert _own_partitions(app) == set()
