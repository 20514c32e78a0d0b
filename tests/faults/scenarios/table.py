"""The rows of the table: each fault, how often it strikes, on how many events of the slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from stream.replay.log import LogRecord
from tests.faults.inject import CLOCK, NAN, POINTS, Fault
from tests.faults.scenarios import surroundings
from tests.faults.scenarios.anew import made_anew_at_rest, made_anew_at_work
from tests.faults.scenarios.away import (
    BROKER_SECONDS,
    STORE_SECONDS,
    broker_away_a_while,
    store_gone,
)
from tests.faults.scenarios.decisions import decisions
from tests.faults.scenarios.engines import COMES, TAKES_OVER, two_engines
from tests.faults.scenarios.hosts import (
    HOST_KILLS,
    TAKEOVERS,
    host_killed,
    standby_takes_over,
)
from tests.faults.scenarios.kills import random_kills
from tests.faults.scenarios.logs import (
    TRANSACTIONS,
    aborted_transactions,
    every_codec,
    not_removed,
    removed_unread,
)
from tests.faults.scenarios.rounds import ROUND_KILLS, federation_killed
from tests.faults.scenarios.surroundings import BROKER_AWAY_SECONDS, FLOOD, PADDING_BYTES, Stage
from tests.faults.scenarios.uses import USE_KILLS, desk_killed
from tests.faults.scenarios.watch import watch_killed
from tests.faults.scenarios.words import DECISIONS

__all__ = ["Play", "Scenario", "scenarios"]

KILLS_EVENTS = 20
"""Events fed a kill."""
TWO_WORKERS_KILLS = 10
PAUSES = 3
BACKLOG = 2_500

Play = Callable[[Stage], list[float]]
"""Plays a fault; returns the seconds from each strike to the first output after it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """runs: how often the fault strikes. kills: how many of these end a process by SIGKILL. serves:
    how many workers.

    server: whether the store is a server. named: the one of UPWELL_TEST_QDRANT_URL, where it names
    one. anew: whether offsets begin anew in between. gaps:
    whether they are others than an undisturbed run's. poisoned: whether bad events are among the
    slice's. approvals: UPWELL_APPROVALS. counted: those of the events that have an effect.
    """

    name: str
    runs: int
    events: int
    play: Play
    kills: int = 0
    serves: int = 1
    server: bool = False
    named: bool = False
    anew: bool = False
    gaps: bool = False
    poisoned: bool = False
    approvals: int = 0
    counted: Callable[[Sequence[LogRecord]], Sequence[LogRecord]] = tuple


def scenarios(kills: int) -> list[Scenario]:
    """All faults; `kills`: how many the first one has."""
    around = surroundings
    return [
        Scenario(
            "kill -9 of serve or learn at random",
            kills,
            KILLS_EVENTS * kills,
            partial(_random, kills=kills),
            kills,
        ),
        *(
            Scenario(point, 3, 240, partial(_strike, point=point), 3 if " dies " in point else 0)
            for point in POINTS
        ),
        Scenario(
            "killed in an audit entry, an approval, an erasure",
            len(DECISIONS),
            200,
            decisions,
            len(DECISIONS),
            approvals=1,
        ),
        Scenario(
            "two workers, one killed and back; a third joins",
            TWO_WORKERS_KILLS + 1,
            KILLS_EVENTS * TWO_WORKERS_KILLS,
            partial(around.two_workers, kills=TWO_WORKERS_KILLS),
            TWO_WORKERS_KILLS + 1,
            serves=2,
            server=True,
        ),
        Scenario(
            "a worker stands still, loses its partitions, goes on",
            PAUSES,
            200,
            partial(around.paused_worker, pauses=PAUSES),
            serves=2,
            server=True,
        ),
        Scenario(
            "two engines: one is refused, one takes over",
            COMES + TAKES_OVER,
            160,
            two_engines,
        ),
        Scenario(
            "standby takes over from a killed learner",
            TAKEOVERS,
            240,
            standby_takes_over,
            TAKEOVERS,
        ),
        Scenario(
            "two hosts: all of one is killed",
            HOST_KILLS,
            240,
            host_killed,
            2 * HOST_KILLS,
            server=True,
            named=True,
        ),
        Scenario("the support desk is killed", USE_KILLS, 40, desk_killed, USE_KILLS),
        Scenario("killed in a federated round", ROUND_KILLS, 40, federation_killed, ROUND_KILLS),
        Scenario("the opinion watch is killed", USE_KILLS, 40, watch_killed, USE_KILLS),
        Scenario(f"broker away for {BROKER_SECONDS:.0f} s", 1, 200, broker_away_a_while),
        Scenario(
            f"store away for {' and '.join(f'{one:.0f}' for one in STORE_SECONDS)} s",
            len(STORE_SECONDS),
            200,
            store_gone,
            server=True,
        ),
        Scenario(f"broker away for {BROKER_AWAY_SECONDS:.0f} s", 1, 200, around.broker_away),
        Scenario(
            "store refuses all calls until serve ends", 1, 200, around.store_away, server=True
        ),
        Scenario(
            "store takes 0.2 s a call and refuses some", 4, 100, around.store_slow, server=True
        ),
        Scenario("torn checkpoint", 1, 200, around.torn_checkpoint),
        Scenario("topics made anew while all is stopped", 1, 200, made_anew_at_rest, anew=True),
        Scenario("topics made anew while all runs", 1, 200, made_anew_at_work, anew=True),
        Scenario(
            "transactions, half of them aborted",
            TRANSACTIONS,
            240,
            aborted_transactions,
            TRANSACTIONS,
            gaps=True,
        ),
        Scenario(
            "retention past the offset", 1, 240, removed_unread, gaps=True, counted=not_removed
        ),
        Scenario("every codec, in turns", 4, 200, every_codec),
        Scenario(CLOCK, 1, 200, around.clock_jumps),
        Scenario(NAN, 1, 200, around.nan_vectors),
        Scenario(
            "a poison event of each kind in each topic", 40, 240, around.poison, poisoned=True
        ),
        Scenario(f"{FLOOD} × the usual rate", 1, BACKLOG, around.flood),
        Scenario(f"a backlog of {BACKLOG:,} events at the start", 1, BACKLOG, around.backlog),
        Scenario(
            f"a backlog of {BACKLOG * PADDING_BYTES / 1e9:.1f} GB at the start",
            1,
            BACKLOG,
            partial(around.backlog, padding=PADDING_BYTES),
        ),
    ]


def _random(stage: Stage, kills: int) -> list[float]:
    return random_kills(stage.engine, stage.events, kills, ["serve-0", "learn"], stage.random)


def _strike(stage: Stage, point: str, strikes: int = 3) -> list[float]:
    """The worker ends at exactly this point, at the first to third pass of it, and is started again
    whole.
    """
    engine, recoveries = stage.engine, []
    name = "serve-0" if point.startswith("serve") else "learn"
    for part in stage.parts(strikes):
        engine.restart_with(name, Fault(point, stage.random.randrange(3)))
        struck_ms = engine.feed_until_fallen(part, name)
        recoveries.append(
            engine.recovery_seconds("learn" if name == "learn" else "serve", struck_ms)
        )
    return recoveries
