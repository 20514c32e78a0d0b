"""An outage of something that is asked again and again: said when it begins and when it is over,
not at each try.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

__all__ = ["Outage"]


class Outage:
    """Of `what`. clock: monotonic seconds."""

    def __init__(self, log: logging.Logger, what: str, clock: Callable[[], float]) -> None:
        self._log = log
        self._what = what
        self._clock = clock
        self._since: float | None = None

    def lasts(self, why: str) -> float:
        """A try has failed: for how many seconds now. The first is said, with its reason."""
        if self._since is None:
            self._since = self._clock()
            self._log.warning("%s does not answer (%s): waiting for it", self._what, why)
        return self._clock() - self._since

    def over(self) -> None:
        """A try has not failed."""
        if self._since is not None:
            away = self._clock() - self._since
            self._log.warning("%s answers again after %.1f s", self._what, away)
            self._since = None
