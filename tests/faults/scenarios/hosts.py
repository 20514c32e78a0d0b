"""Two hosts: workers with data folders of their own, one place for checkpoints. One learner works,
the other waits, and takes over when the first is killed, alone or with all of its host.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.replay.log import LogRecord
from tests.faults.engine import Engine
from tests.faults.scenarios.surroundings import Stage
from tests.faults.worker import Role
from upwell.system.clock import now_ms

__all__ = ["HOST_KILLS", "TAKEOVERS", "host_killed", "standby_takes_over"]

TAKEOVERS = 4
HOST_KILLS = 2
HOSTS: tuple[dict[str, Role], ...] = (
    {"serve-0": "serve", "learn": "learn"},
    {"serve-1": "serve", "learn-1": "learn"},
)
"""By name, the workers of each."""


def standby_takes_over(stage: Stage) -> list[float]:
    """The learner that works is killed, in the midst of events; the other goes on, and the killed
    one comes back as standby.
    """
    engine, (active, other) = stage.engine, ("learn", "learn-1")
    recoveries: list[float] = []
    engine.on_another_host("learn-1", "learn")
    for part in stage.parts(TAKEOVERS):
        _waits(engine, other)
        recoveries.append(_killed(stage, [active], part)["learn"])
        _back(engine, {active: "learn"})
        active, other = other, active
    return recoveries


def host_killed(stage: Stage) -> list[float]:
    """All of the host whose learner works is killed at once. The other one has all partitions and
    learns; then the killed host comes back, and helps.
    """
    engine, (one, other) = stage.engine, HOSTS
    recoveries: list[float] = []
    for name, role in other.items():
        engine.on_another_host(name, role)
    for part in stage.parts(HOST_KILLS):
        _waits(engine, next(name for name, role in other.items() if role == "learn"))
        recoveries += _killed(stage, list(one), part).values()
        engine.settle("the host that is left")
        _back(engine, one)
        one, other = other, one
    return recoveries


def _killed(stage: Stage, names: Sequence[str], part: Sequence[LogRecord]) -> dict[Role, float]:
    """Feed a part, with a kill of these in the midst; how long until each role has gone on."""
    engine, middle = stage.engine, stage.random.randrange(1, len(part))
    engine.feed(part[:middle])
    roles = {engine.role(name) for name in names}
    for name in names:
        engine.kill(name)
    killed_ms = now_ms()
    engine.feed(part[middle:])
    return {role: engine.recovery_seconds(role, killed_ms) for role in sorted(roles)}


def _back(engine: Engine, workers: dict[str, Role]) -> None:
    for name in workers:
        engine.start(name)


def _waits(engine: Engine, name: str) -> None:
    """Since it was started last it has said that it waits."""
    engine.wait(
        lambda: "learns; waiting until it does not" in engine.said_since_start(name),
        f"{name} to wait as standby",
    )
