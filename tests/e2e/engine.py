"""A real engine for end-to-end tests: serve and learn processes on a real broker, and what can be
seen of them from outside.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaProducer

from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.ops.cluster import Metrics, settled
from stream.ops.supervise import Supervisor
from stream.replay.log import LogRecord, read_log
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import load_settings

__all__ = ["Engine", "bundled_log", "send", "wait_until"]

MOVIELENS = Path(__file__).parents[2] / "data" / "movielens" / "events.jsonl.gz"
DEADLINE_SECONDS = 150.0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Poll until `condition` holds; fail with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.05)


def send(producer: KafkaProducer, prefix: str, records: Iterable[LogRecord]) -> None:
    """Until the broker has them."""
    for one in records:
        producer.send(prefix + one.topic, key=one.key, value=one.value)
    producer.flush()


def bundled_log(ratings: int) -> tuple[list[LogRecord], list[LogRecord]]:
    """The first so many ratings of the MovieLens log, and the announcements of the items that they
    are on.
    """
    lines = [line for line in read_log(MOVIELENS) if isinstance(line, LogRecord)]
    events = list(islice((line for line in lines if b'"rating"' in line.value), ratings))
    wanted = {orjson.loads(event.value)["item_id"] for event in events}
    items = [
        line
        for line in lines
        if line.topic is Topic.ITEMS and orjson.loads(line.value)["item_id"] in wanted
    ]
    return items, events


class Engine:
    """One serve and one learn process under the supervisor. `environ`: more settings of theirs."""

    def __init__(self, kafka: str, prefix: str, folder: Path, **environ: str) -> None:
        own = {
            "UPWELL_KAFKA": kafka,
            "UPWELL_PREFIX": prefix,
            "UPWELL_DATA": str(folder),
            "UPWELL_FUSED": "off",
            **environ,
        }
        self.settings = load_settings(own)
        worker = [sys.executable, "-m", "stream.ops.cli", "worker"]
        self.supervisor = Supervisor(worker, {**os.environ, **own}, folder / "logs")
        self.metrics = Metrics(self.settings)
        ensure_topics(prefix, self.settings.kafka.partitions, self.client)
        self.lag = Lag(self.client, prefix)

    @property
    def client(self) -> dict[str, Any]:
        return client_options(self.settings.kafka)

    def __enter__(self) -> Engine:
        self.metrics.start()
        self.supervisor.__enter__()
        try:
            self.wait(self.metrics.ready, "both roles to report")
        except BaseException:  # nobody would stop what has been started
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self.metrics.stop()
        self.lag.__exit__(None, None, None)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait while the supervisor keeps both roles alive."""

        def look() -> bool:
            self.supervisor.check()
            return condition()

        wait_until(look, f"{what}; logs in {self.settings.data / 'logs'}")

    def settled(self) -> bool:
        """Everything appended has been acknowledged by serve and learned by learn."""
        return settled(self.lag, self.metrics)


def values(records: Sequence[LogRecord]) -> list[dict[str, Any]]:
    """The decoded values of log records."""
    return [orjson.loads(record.value) for record in records]
