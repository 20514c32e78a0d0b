"""The two sides of the benches of speed on one broker: Upwell's processes and the naive loop's.

Each has topics of its own under a prefix, is started and stopped as a context, and is measured from
outside alone: by what stands on its topics, with the broker's clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import orjson
from qdrant_client import QdrantClient

from bench.peers.naive import READY
from bench.speed.figures import Answer, Sent
from bench.speed.place import Lists, Place, send
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.ops.cluster import READY_SECONDS, Cluster, Metrics, running_cluster, settled
from stream.replay.log import LogRecord
from upwell.client import client_options
from upwell.errors import UpwellError
from upwell.events import Topic
from upwell.settings import load_settings

__all__ = ["Naive", "Played", "Side", "UpwellSide"]

MOST_SECONDS = 3_600.0
START_SECONDS = 60.0
STARTS = 3
"""kafka-python's join hangs now and then where topics were just made: the peer is started again."""
TICK_SECONDS = 0.05
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Played:
    """events: that were sent. listed_s: from before the first was sent until the broker had the
    last list; done_s: until all was learned, too.
    """

    events: int
    lists: int
    listed_s: float
    done_s: float


class Side(Protocol):
    """One of both. `announce` and `play` return when all of it took effect; `send` and `answers`
    are for who keeps a schedule of their own.
    """

    name: str
    prefix: str

    @property
    def client(self) -> dict[str, Any]: ...

    def announce(self, items: Sequence[LogRecord]) -> float:
        """Seconds until all items are known."""

    def play(self, events: Sequence[LogRecord]) -> Played: ...

    def answers(self, sent: Sequence[Sent]) -> list[Answer]:
        """The lists since the start, once all that was sent since then has been answered."""

    def __enter__(self) -> Side: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class UpwellSide:
    """serve and learn under their supervisor, data below the place's folder. A second start on the
    same prefix goes on where the first ended.
    """

    name = "upwell"

    def __init__(self, place: Place, prefix: str) -> None:
        self.prefix = prefix
        folder = place.folder / prefix
        self._environ = {
            "UPWELL_KAFKA": place.broker,
            "UPWELL_PREFIX": prefix,
            "UPWELL_DATA": str(folder),
            "UPWELL_VECTORS": "off",  # who announces is to encode
            **place.environ,
        }
        self._settings = load_settings({**os.environ, **self._environ}, None)
        self._stack = ExitStack()

    @property
    def client(self) -> dict[str, Any]:
        return client_options(self._settings.kafka)

    def __enter__(self) -> UpwellSide:
        folder = self._settings.data
        with ExitStack() as stack:
            self._cluster: Cluster = stack.enter_context(
                running_cluster(
                    self._settings,
                    self._environ,
                    folder / "logs",
                    folder / "broker.json",
                    lambda words: None,
                )
            )
            self._lists = _started(stack, Lists(self.prefix, self.client, Topic.RECOMMENDATIONS))
            self._catalogue = _started(stack, Lists(self.prefix, self.client, Topic.CATALOGUE))
            self._metrics = Metrics(self._settings)
            self._metrics.start()
            stack.callback(self._metrics.stop)
            self._lag = stack.enter_context(Lag(self.client, self.prefix))
            self._cluster.wait(self._metrics.ready, READY_SECONDS, "the workers to start")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def announce(self, items: Sequence[LogRecord]) -> float:
        before = self._catalogue.drain()
        started = send(self.client, self.prefix, items)
        self._wait(lambda: self._catalogue.drain() >= before + len(items), "the catalogue")
        return self._catalogue.records[before + len(items) - 1].appended_ms / 1000 - started

    def play(self, events: Sequence[LogRecord]) -> Played:
        before = self._lists.drain()
        started = send(self.client, self.prefix, events)
        self.settle()
        done = time.time()
        self._lists.drain()
        last = self._lists.records[-1].appended_ms / 1000
        lists = len(self._lists.records) - before
        return Played(len(events), lists, last - started, done - started)

    def answers(self, sent: Sequence[Sent]) -> list[Answer]:
        self.settle()
        self._lists.drain()
        values = [orjson.loads(record.value or b"{}") for record in self._lists.records]
        return [
            Answer(value["user_id"], value["covers"], record.appended_ms)
            for value, record in zip(values, self._lists.records, strict=True)
        ]

    def settle(self) -> None:
        """Until all that was sent is served and learned."""
        self._wait(lambda: settled(self._lag, self._metrics), "events to be served and learned")

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        self._cluster.wait(until, MOST_SECONDS, what)


class Naive:
    """The naive loop as a process. Its collections go at `forget`."""

    name = "naive loop"

    def __init__(self, place: Place, prefix: str) -> None:
        self.prefix = prefix
        self._place = place
        self._asked = 0
        self._qdrant = QdrantClient(url=place.qdrant)
        self._settings = load_settings({"UPWELL_KAFKA": place.broker, "UPWELL_PREFIX": prefix})

    @property
    def client(self) -> dict[str, Any]:
        return client_options(self._settings.kafka)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Naive:
        ensure_topics(self.prefix, self._settings.kafka.partitions, self.client)
        self._lists = Lists(self.prefix, self.client, Topic.RECOMMENDATIONS)
        self._lists.start()
        self._asked = 0
        if not any(self._start() for _ in range(STARTS)):
            self._lists.stop()
            raise UpwellError(f"the naive loop did not start: see {self._place.folder}/naive.log")
        return self

    def _start(self) -> bool:
        """Whether it has partitions within a minute; else its process is ended."""
        with (self._place.folder / "naive.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "bench.peers.naive", "--kafka", self._place.broker),
                    *("--qdrant", self._place.qdrant, "--prefix", self.prefix),
                ],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        late = threading.Timer(START_SECONDS, self._process.kill)
        late.start()
        line = self._process.stdout.readline().decode().strip()
        late.cancel()
        if line != READY:
            self._end()
        return line == READY

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __exit__(self, *_: object) -> None:
        self._end()
        self._lists.stop()

    def forget(self) -> None:
        for name in ("items", "users"):
            self._qdrant.delete_collection(self.prefix + name)

    def announce(self, items: Sequence[LogRecord]) -> float:
        wanted = self._known() + len(items)
        started = send(self.client, self.prefix, items)
        self._wait(lambda: self._known() >= wanted, "the catalogue")
        return time.time() - started

    def play(self, events: Sequence[LogRecord]) -> Played:
        started = send(self.client, self.prefix, events)
        last = self._answered(len(events)).records[-1].appended_ms / 1000
        return Played(len(events), len(events), last - started, last - started)

    def answers(self, sent: Sequence[Sent]) -> list[Answer]:
        places = {event.event_id: event for event in sent}
        found = []
        for record in self._answered(len(sent)).records[-len(sent) :]:
            event = places[orjson.loads(record.value or b"{}")["trigger"]]
            found.append(Answer(event.user, {event.source: event.offset}, record.appended_ms))
        return found

    def _answered(self, events: int) -> Lists:
        """So many more: it makes one of each event."""
        self._asked += events
        self._wait(lambda: self._lists.drain() >= self._asked, "its lists")
        return self._lists

    def _known(self) -> int:
        return self._qdrant.count(f"{self.prefix}items", exact=True).count

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + MOST_SECONDS
        while not until():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise UpwellError(f"the naive loop: waited in vain for {what}; see its naive.log")
            time.sleep(TICK_SECONDS)


def _started(stack: ExitStack, lists: Lists) -> Lists:
    lists.start()
    stack.callback(lists.stop)
    return lists
