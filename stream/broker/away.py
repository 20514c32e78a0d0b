"""A broker that is away for a while: waited for, said once, gone on.

It knows nothing about what is asked; what it repeats must be safe to repeat.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from kafka.errors import RetriableError

from upwell.errors import BrokerError
from upwell.system.outage import Outage

__all__ = ["PATIENCE_SECONDS", "Patience"]

PATIENCE_SECONDS = 60.0
"""Twice as long as what is to end nothing: a broker that starts again answers late."""
PAUSE_SECONDS = 0.5

log = logging.getLogger("upwell.broker")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """who: asks, for the two lines that are said. seconds: how long it asks again."""

    who: str
    seconds: float = PATIENCE_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = field(default=time.sleep)

    def call(self, action: Callable[[], T]) -> T:
        """The action's result. Raises what it raises: at once what does not pass by itself, the
        rest (Kafka's retriable errors, and a `BrokerError` by one of them) when it has lasted for
        `seconds`.
        """
        outage = Outage(log, f"{self.who}: the broker", self.clock)
        while True:
            try:
                found = action()
            except (RetriableError, BrokerError) as exc:
                passes = RetriableError in {*type(exc).__mro__, *type(exc.__cause__).__mro__}
                if not passes or outage.lasts(type(exc).__name__) > self.seconds:
                    raise
                self.sleep(PAUSE_SECONDS)
            else:
                outage.over()
                return found
