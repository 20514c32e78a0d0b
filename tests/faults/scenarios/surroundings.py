"""Faults around the workers: broker, store, files, the log itself. Each plays on a `Stage` and ends
with all of its events fed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import orjson

from infra.kafka import KafkaBroker
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.lag import INPUT_TOPICS
from stream.replay.log import LogRecord
from stream.replay.player import Pace
from tests.faults.engine import Engine
from tests.faults.inject import CLOCK, NAN, Fault
from tests.faults.qdrant_double import QdrantDouble
from tests.faults.worker import SESSION_SECONDS
from upwell.events import Topic

__all__ = [
    "Stage",
    "backlog",
    "broker_away",
    "clock_jumps",
    "flood",
    "nan_vectors",
    "parts",
    "paused_worker",
    "poison",
    "poisoned",
    "store_away",
    "store_slow",
    "torn_checkpoint",
    "two_workers",
]

POISON = (b"\xff\xfe{", b"", b"[]", b'{"event_id": "p", "ts": NaN}', b'{"user_id": 7}')
REFUSALS = 10_000
AWAY_SECONDS = 5.0
BACKLOG_SECONDS = 600.0
BROKER_AWAY_SECONDS = 60.0
USUAL_RATE = 8.0
FLOOD = 50
PADDING_BYTES = 900_000
PART_FIRST = 25
MOST_GROWN_MB = 300
"""What a worker's peak memory may grow by while it is behind: batches of the largest events in
flight, not the backlog.
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a fault may touch.

    items: announced already. events: to be fed, in order. double: of the Qdrant server, where there
    is one.
    """

    engine: Engine
    broker: KafkaBroker
    items: Sequence[LogRecord]
    events: Sequence[LogRecord]
    random: Random
    double: QdrantDouble | None

    def parts(self, number: int) -> list[Sequence[LogRecord]]:
        """The events in so many parts."""
        return parts(self.events, number)


def parts(events: Sequence[LogRecord], number: int) -> list[Sequence[LogRecord]]:
    """So many, of about the same length."""
    bounds = [round(place * len(events) / number) for place in range(number + 1)]
    return [events[start:end] for start, end in pairwise(bounds)]


def poisoned(events: Sequence[LogRecord]) -> list[LogRecord]:
    """The events with each kind of poison in each topic of apps, and in `rerouted`, spread among
    them.
    """
    bad = [LogRecord(0, topic, b"7", value) for topic in INPUT_TOPICS for value in POISON]
    step = len(events) // len(bad)
    return [
        one
        for place, event in enumerate(events)
        for one in ([bad.pop()] if bad and place % step == 0 else []) + [event]
    ]


def poison(stage: Stage) -> list[float]:
    """Each poison becomes a dead letter, and nothing else changes."""
    stage.engine.feed(stage.events)
    wanted = len(POISON) * len(INPUT_TOPICS)
    stage.engine.wait(
        lambda: len(stage.engine.seen(Topic.DEAD_LETTERS)) >= wanted, "the dead letters"
    )
    return []


def broker_away(stage: Stage) -> list[float]:
    """Kafka is stopped and started again on its data while the workers have work."""
    before, after = stage.parts(2)
    stage.engine.feed(before)
    stage.broker.stop()
    time.sleep(BROKER_AWAY_SECONDS)
    stage.broker.start()
    back_ms = time.time_ns() // 1_000_000
    stage.engine.feed(after)
    return [stage.engine.recovery_seconds("serve", back_ms)]


def store_away(stage: Stage) -> list[float]:
    """The store refuses every call for a while: longer than serve tries, so that it ends and is
    started again.
    """
    assert stage.double is not None
    before, after = stage.parts(2)
    stage.engine.feed(before)
    stage.double.refuse = REFUSALS
    stage.engine.feed(after)
    stage.engine.wait(lambda: stage.engine.falls["serve-0"] > 0, "serve to give up")
    stage.double.refuse = 0
    back_ms = time.time_ns() // 1_000_000
    return [stage.engine.recovery_seconds("serve", back_ms)]


def store_slow(stage: Stage) -> list[float]:
    """Each call of the store takes a fifth of a second, and some are refused."""
    assert stage.double is not None
    stage.double.delay_seconds = 0.2
    for part in stage.parts(4):
        stage.double.refuse = 3
        stage.engine.feed(part)
        stage.engine.settle("a slow store")
    stage.double.delay_seconds = 0.0
    return []


def torn_checkpoint(stage: Stage) -> list[float]:
    """The newest checkpoint is cut in half: learn refuses it by name, and goes on from the one
    before once it is removed, as it says.
    """
    before, after = stage.parts(2)
    stage.engine.feed(before)
    stage.engine.settle("the first half")
    stage.engine.kill("learn")
    folder = stage.engine.settings.data / "models"
    newest = checkpoint.latest(LocalFolder(folder))
    assert newest is not None
    weights = (folder / newest.name).with_suffix(".safetensors")
    os.truncate(weights, weights.stat().st_size // 2)
    stage.engine.start("learn")
    stage.engine.wait(
        lambda: stage.engine.falls["learn"] > 0, "learn to refuse the torn checkpoint"
    )
    (folder / newest.name).unlink()
    mended_ms = time.time_ns() // 1_000_000
    stage.engine.feed(after)
    return [stage.engine.recovery_seconds("learn", mended_ms)]


def backlog(stage: Stage, padding: int = 0) -> list[float]:
    """All events but the first few are there before any worker is. These first few tell what a
    worker holds that has just begun.

    padding: bytes that each has in a field that nobody reads.
    """
    first = len(stage.events) // PART_FIRST
    stage.engine.feed(stage.events[:first])
    stage.engine.settle("the first few")
    before = _peaks(stage)
    for name in before:
        stage.engine.kill(name)
    stage.engine.feed(padded(one, padding) for one in stage.events[first:])
    started_ms = time.time_ns() // 1_000_000
    for name in before:
        stage.engine.start(name)
    recovery = stage.engine.recovery_seconds("serve", started_ms)
    _settle_bounded(stage, "the backlog", before)
    return [recovery]


def padded(record: LogRecord, padding: int) -> LogRecord:
    """The same event with a field of so many bytes that nobody reads."""
    return replace(
        record, value=orjson.dumps(orjson.loads(record.value) | {"padding": "x" * padding})
    )


def flood(stage: Stage) -> list[float]:
    """Events at the usual rate, then `FLOOD` times as many a second."""
    usual = len(stage.events) // (FLOOD + 1)
    stage.engine.feed(stage.events[:usual], Pace(rate=USUAL_RATE))
    before, flooded_ms = _peaks(stage), time.time_ns() // 1_000_000
    stage.engine.feed(stage.events[usual:], Pace(rate=FLOOD * USUAL_RATE))
    recovery = stage.engine.recovery_seconds("serve", flooded_ms)
    _settle_bounded(stage, "the flood", before)
    return [recovery]


def _peaks(stage: Stage) -> dict[str, float]:
    """Each worker's peak memory so far, MB."""
    return {name: stage.engine.peak_mb(name) for name in ("serve-0", "learn")}


def _settle_bounded(stage: Stage, what: str, before: Mapping[str, float]) -> None:
    """Everything is worked off, and no worker's peak memory is more than `MOST_GROWN_MB` above
    `before`.
    """
    stage.engine.settle(what, BACKLOG_SECONDS)
    for name, mb in _peaks(stage).items():
        assert mb - before[name] <= MOST_GROWN_MB, (
            f"{name} grew by {mb - before[name]:,.0f} MB in {what}"
        )


def clock_jumps(stage: Stage) -> list[float]:
    """Both workers' clocks."""
    for name in ("serve-0", "learn"):
        stage.engine.restart_with(name, Fault(CLOCK))
    stage.engine.feed(stage.events)
    return []


def nan_vectors(stage: Stage) -> list[float]:
    """Items are given another title while the encoder is broken: serve ends before it stores or
    publishes one of them. Later they are called again what they were.
    """
    stage.engine.restart_with("serve-0", Fault(NAN))
    renamed = [_renamed(item) for item in stage.items[:8]]
    struck_ms = stage.engine.feed_until_fallen(renamed, "serve-0")
    stage.engine.feed(stage.items[:8])
    stage.engine.settle("the titles of before")  # an intent is of the vectors at its events
    stage.engine.feed(stage.events)
    return [stage.engine.recovery_seconds("serve", struck_ms)]


def _renamed(item: LogRecord) -> LogRecord:
    """What says what it said is not encoded again."""
    value = orjson.loads(item.value)
    return replace(item, value=orjson.dumps({**value, "title": f"{value['title']}, renamed"}))


def two_workers(stage: Stage, kills: int) -> list[float]:
    """One of two is killed and comes back, again and again; then one is killed for good while a
    third joins.
    """
    engine, recoveries = stage.engine, []
    *parts, last = stage.parts(kills + 1)
    for part in parts:
        middle = stage.random.randrange(1, len(part))
        engine.feed(part[:middle])
        name = stage.random.choice(["serve-0", "serve-1"])
        killed_ms = engine.kill(name)
        engine.start(name)
        engine.feed(part[middle:])
        engine.settle("both workers")
        recoveries.append(time.time() - killed_ms / 1000)
    engine.feed(last[: len(last) // 2])
    engine.kill("serve-0")
    engine.start("serve-2", role="serve")
    engine.feed(last[len(last) // 2 :])
    return recoveries


def paused_worker(stage: Stage, pauses: int) -> list[float]:
    """A worker stands still until its partitions are another's, then goes on with what it did: its
    writes are refused or change nothing.
    """
    for part in stage.parts(pauses):
        third = len(part) // 3
        stage.engine.feed(part[:third])
        stage.engine.pause("serve-0")
        stage.engine.feed(part[third : 2 * third])
        time.sleep(SESSION_SECONDS + AWAY_SECONDS)
        stage.engine.resume("serve-0")
        stage.engine.feed(part[2 * third :])
        stage.engine.settle("the worker that stood still")
    return []
