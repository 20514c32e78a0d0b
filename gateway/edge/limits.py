"""How much one caller may ask: a bucket of requests each, filled with time."""

from __future__ import annotations

from collections.abc import Callable

from upwell.system.lru import Lru

__all__ = ["Buckets"]

CALLERS = 10_000
"""Whose buckets are kept: those who called last. Who comes back later finds a full one."""
BURST_SECONDS = 2.0


class Buckets:
    """rate: requests a second, 0 for no limit. clock: monotonic seconds."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._most = max(rate * BURST_SECONDS, 1.0)
        self._clock = clock
        self._left: Lru[bytes, tuple[float, float]] = Lru(CALLERS)

    def take(self, caller: bytes) -> float:
        """One request; the seconds to wait before it would be let in, 0 where it is."""
        if not self._rate:
            return 0.0
        now = self._clock()
        left, at = self._left.get(caller, (self._most, now))
        left = min(left + (now - at) * self._rate, self._most)
        if left < 1.0:
            self._left[caller] = (left, now)
            return (1.0 - left) / self._rate
        self._left[caller] = (left - 1.0, now)
        return 0.0
