"""A store or a broker that is away for less than half a minute: waited for, and nothing ends."""

from __future__ import annotations

import time

from tests.faults.scenarios.surroundings import Stage

__all__ = ["BROKER_SECONDS", "STORE_SECONDS", "broker_away_a_while", "store_gone"]

STORE_SECONDS = (8.0, 25.0)
BROKER_SECONDS = 20.0


def store_gone(stage: Stage) -> list[float]:
    """The server is gone, with its port, while events come; then it is there again."""
    engine, double = stage.engine, stage.double
    assert double is not None
    recoveries = []
    for part, seconds in zip(stage.parts(len(STORE_SECONDS)), STORE_SECONDS, strict=True):
        middle = len(part) // 2
        engine.feed(part[:middle])
        double.go_away()
        engine.feed(part[middle:])
        time.sleep(seconds)
        double.come_back()
        back_ms = time.time_ns() // 1_000_000
        recoveries.append(engine.recovery_seconds("serve", back_ms))
    engine.settle("the store that was away")
    assert not engine.falls, f"ended by a store that was away: {dict(engine.falls)}"
    return recoveries


def broker_away_a_while(stage: Stage) -> list[float]:
    """Kafka is stopped while the workers have work, and started again on its data."""
    engine, (before, after) = stage.engine, stage.parts(2)
    engine.feed(before)
    stage.broker.stop()
    time.sleep(BROKER_SECONDS)
    stage.broker.start()
    back_ms = time.time_ns() // 1_000_000
    engine.feed(after)
    recovery = engine.recovery_seconds("serve", back_ms)
    engine.settle("what the broker held")
    assert not engine.falls, f"ended by a broker that was away: {dict(engine.falls)}"
    return [recovery]
