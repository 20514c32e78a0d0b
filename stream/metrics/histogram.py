"""How often what was counted fell below each of some bounds, since the start: what Prometheus takes
quantiles from. It knows nothing of what is counted.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

__all__ = ["EVENTS", "SECONDS", "Histogram"]

SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15),
    *(0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Close together where lists are made: a p99 between two bounds is a guess."""
EVENTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


class Histogram:
    """bounds: rising, each a bucket's upper end, which belongs to it. Safe to use from several
    threads.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def observe(self, value: float) -> None:
        """One more, of this value."""
        place = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    def report(self) -> dict[str, Any]:
        """JSON-ready: {"buckets": {bound: how many were at most so much}, "sum"}; the last bound is
        `+Inf`, which all are below.
        """
        with self._lock:
            counts, total = list(self._counts), self._sum
        names = [*(str(bound) for bound in self._bounds), "+Inf"]
        return {"buckets": dict(zip(names, accumulate(counts), strict=True)), "sum": total}
