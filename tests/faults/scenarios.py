"""The faults of the table: what happens to the engine while the slice is fed to it. Each ends with all of the slice fed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from random import Random

from infra.kafka import KafkaBroker
from stream.replay_log import LogRecord
from tests.faults.engine import Engine
from tests.faults.inject import POINTS, Fault
from tests.faults.kills import random_kills

__all__ = ["Play", "Scenario", "Stage", "scenarios"]

KILLS_EVENTS = 20
"""Events fed a kill."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario may touch. events: to be fed, in order."""

    engine: Engine
    broker: KafkaBroker
    events: Sequence[LogRecord]
    random: Random


Play = Callable[[Stage], list[float]]
"""Plays a fault; returns the seconds from each strike to the first output after it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """runs: how often the fault strikes. kills: how many of these are `kill -9`, or an end by SIGKILL from inside."""

    name: str
    runs: int
    events: int
    play: Play
    kills: int = 0


def scenarios(kills: int) -> list[Scenario]:
    """All faults; `kills`: how many the first one has."""
    return [
        Scenario("kill -9 of serve or learn at random", kills, KILLS_EVENTS * kills, partial(_random, kills=kills), kills),
        *(Scenario(point, 3, 240, partial(_strike, point=point), 3) for point in POINTS),
    ]


def _random(stage: Stage, kills: int) -> list[float]:
    return random_kills(stage.engine, stage.events, kills, ["serve-0", "learn"], stage.random)


def _parts(events: Sequence[LogRecord], parts: int) -> list[Sequence[LogRecord]]:
    bounds = [round(number * len(events) / parts) for number in range(parts + 1)]
    return [events[start:end] for start, end in pairwise(bounds)]


def _strike(stage: Stage, point: str, strikes: int = 3) -> list[float]:
    """The worker ends at exactly this point, at the first to third pass of it, and is started again whole."""
    engine, recoveries = stage.engine, []
    name = "serve-0" if point.startswith("serve") else "learn"
    for part in _parts(stage.events, strikes):
        engine.restart_with(name, Fault(point, stage.random.randrange(3)))
        struck_ms = engine.feed_until_fallen(part, name)
        engine.tend()
        recoveries.append(engine.recovery_seconds("learn" if name == "learn" else "serve", struck_ms))
    return recoveries
