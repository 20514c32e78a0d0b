"""What the gateway counts of itself: calls by what was answered, how long that took, refusals by
reason, bytes, events.

A call costs a few additions, so it is never off. No name that a caller chooses becomes a key:
calls and outcomes are the code's, reasons are few.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from stream.metrics.histogram import SECONDS, Histogram

__all__ = ["CALL", "UNROUTED", "Meter"]

CALL = "upwell.call"
"""Where a call's scope holds its name, once it is routed."""
UNROUTED = "(none)"
"""Refused before that, a file of the page, or no call at all."""
OUTCOMES = ("accepted", "refused", "not_acknowledged")
WATCHED = (
    *("busy", "no_answer", "not_acknowledged", "not_allowed", "not_ready", "too_many_requests"),
    *("too_many_streams", "unauthorized"),
)
"""Reasons that are there from the beginning, so that the first one is seen as one more."""
MOST_REASONS = 100
OTHER = "(other)"


class Meter:
    """posted: events by outcome. received, sent: bytes of bodies. The event loop's thread counts;
    `report` may be called from any.
    """

    def __init__(self) -> None:
        self.posted: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.received = 0
        self.sent = 0
        self._requests: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SECONDS))
        self._refusals: Counter[str] = Counter(dict.fromkeys(WATCHED, 0))

    def answered(self, call: str, status: int, reason: str | None, seconds: float) -> None:
        """An answer begins. reason: of a refusal. seconds: since the request came."""
        self._requests[call][str(status)] += 1
        self._seconds[call].observe(seconds)
        if reason is not None:
            room = reason in self._refusals or len(self._refusals) < MOST_REASONS
            self._refusals[reason if room else OTHER] += 1

    def report(self) -> dict[str, Any]:
        """JSON-ready, as `stream.metrics.registry` reads it."""
        # `list` and `dict` copy in one step: the loop's thread may add a key meanwhile
        return {
            "requests": {call: dict(one) for call, one in list(self._requests.items())},
            "request_seconds": {call: one.report() for call, one in list(self._seconds.items())},
            "refusals": dict(self._refusals),
            "posted": dict(self.posted),
            "bytes": {"received": self.received, "sent": self.sent},
        }
