"""What the clients of Kafka say again and again while a broker is away: said once a minute.

aiokafka alone writes a hundred lines a second then.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["SECONDS", "Repeated", "quieten"]

SECONDS = 60.0
CLIENTS = ("kafka", "aiokafka")
MOST = 1_000
"""Messages that are remembered: some have their arguments in them."""


class Repeated(logging.Filter):
    """Lets each message of a logger pass once in `SECONDS`, whatever its arguments. clock:
    monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said now."""
        said, now = (record.name, record.msg), self._clock()
        if now - self._passed.get(said, -SECONDS) < SECONDS:
            return False
        if len(self._passed) >= MOST:
            self._passed.clear()
        self._passed[said] = now
        return True


def quieten() -> None:
    """The loggers that the clients have by now; once they are imported."""
    repeated = Repeated()
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in CLIENTS:
            logging.getLogger(name).addFilter(repeated)
