"""Heartbeats that pass through the very threads that work: one that stands still stops its own
beat, whatever the process says besides.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Beats"]


def _nothing() -> bool:
    return False


class Beats:
    """clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def through(self, name: str, work: Callable[[], bool] = _nothing) -> Callable[[], bool]:
        """`work` for the thread `name` to do again and again: each time it notes that it passed."""
        self._last[name] = self._clock()

        def beat() -> bool:
            self._last[name] = self._clock()
            return work()

        return beat

    def ages(self) -> dict[str, float]:
        """Of each thread how many seconds ago it last passed."""
        now = self._clock()
        return {name: round(now - last, 3) for name, last in self._last.items()}
