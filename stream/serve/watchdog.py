"""The stall watchdog: ends a worker that says it is healthy while what it should work off does not
get less.

Faust is known to stall so after long outages of the broker: it heartbeats, and processes nothing. A
worker is stalled where it is behind and its position has not moved for `seconds`. It knows nothing
about Faust, topics or the learner.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NoReturn

from stream.broker.lag import Backlog
from upwell.errors import BrokerError
from upwell.system.exit_codes import ExitCode
from upwell.system.outage import Outage
from upwell.system.threads import end_process, start_thread

__all__ = [
    "LOOK_SECONDS",
    "STALLED_EXIT",
    "STALL_SECONDS",
    "Stall",
    "Watchdog",
    "end_stalled",
]

STALL_SECONDS = 120.0
"""Longer than any pause of a healthy worker: an encoder's first batch, a rebalance (10 s), a
store's retries.
"""
LOOK_SECONDS = 10.0
STALLED_EXIT = ExitCode.STALLED

log = logging.getLogger("upwell.watchdog")


class Stall:
    """Decides, from one look after the other, whether a worker is stalled.

    Pure; times are monotonic seconds.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._done = -1

    def look(self, now: float, backlog: Backlog) -> str | None:
        """The reason to end, or None.

        One that has nothing to do, or moved since the last look, is not stalled.
        """
        if backlog.behind == 0 or backlog.done != self._done:
            self._done, self._since = backlog.done, None if backlog.behind == 0 else now
            return None
        if self._since is None:
            self._since = now
        if now - self._since < self._seconds:
            return None
        return (
            f"stalled: {backlog.behind} records wait and none was acknowledged for "
            f"{now - self._since:.0f} s"
        )

    def unknown(self) -> None:
        """The broker did not answer: what stood still before says nothing about the worker."""
        self._since = None


class Watchdog:
    """A thread that looks every `every` seconds and calls `end` with the reason, at most
    `stall.seconds + every` after the last move.

    look: blocks; raises `BrokerError` when nothing can be known; with any other error the process
    ends. clock: monotonic seconds.
    """

    def __init__(
        self,
        look: Callable[[], Backlog],
        stall: Stall,
        end: Callable[[str], None],
        clock: Callable[[], float],
        every: float = LOOK_SECONDS,
    ) -> None:
        self._look = look
        self._stall = stall
        self._end = end
        self._clock = clock
        self._every = every
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = start_thread("watchdog", self._watch)

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        outage = Outage(log, "the broker, asked for the lag,", self._clock)
        while not self._stopping.wait(self._every):
            try:
                reason = self._stall.look(self._clock(), self._look())
            except BrokerError as exc:
                outage.lasts(str(exc))
                self._stall.unknown()
                continue
            outage.over()
            if reason is not None:
                self._end(reason)
                return


def end_stalled(reason: str) -> NoReturn:
    """The process ends at once, with nothing acknowledged: the supervisor starts it again."""
    end_process(f"{reason}; the worker ends and is started again", STALLED_EXIT)
