"""kill -9 at random moments: between events, while a batch is in the chain, while the worker is
still starting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from stream.replay.log import LogRecord
from tests.faults.engine import Engine

__all__ = ["random_kills"]

LONGEST_PAUSE_SECONDS = 0.4
AGAIN = 0.2
"""The share of kills that strike while the worker has not recovered from the one before."""


def random_kills(
    engine: Engine, events: Sequence[LogRecord], kills: int, names: Sequence[str], random: Random
) -> list[float]:
    """Feed all of `events` in parts, one kill of one of `names` within each.

    The recovery times of the workers that were let recover.
    """
    recoveries: list[float] = []
    bounds = [round(number * len(events) / kills) for number in range(kills + 1)]
    for start, end in pairwise(bounds):
        middle = random.randrange(start + 1, end)
        engine.feed(events[start:middle])
        time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
        name = random.choice(names)
        killed_ms = engine.kill(name)
        engine.start(name)
        engine.feed(events[middle:end])
        if random.random() >= AGAIN:
            recoveries.append(
                engine.recovery_seconds("learn" if name == "learn" else "serve", killed_ms)
            )
    return recoveries
