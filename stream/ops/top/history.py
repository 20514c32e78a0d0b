"""What each worker said lately on `metrics`: of each the words of the last so many seconds, and how
old its last one is by the clock of whoever looks. It reads no topic and knows no figure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.metrics.record import parse_record

__all__ = ["WINDOW_MS", "History", "Spoken"]

WINDOW_MS = 30_000
"""Between the first and the last word that rates and quantiles are taken of."""
GONE_SECONDS = 120.0
"""Who has been silent for so long is no longer shown."""


@dataclass(slots=True)
class Spoken:
    """A worker's words, oldest first: records of `metrics`. heard: when the last one was said, in
    seconds of the looking clock.
    """

    words: deque[Mapping[str, Any]] = field(default_factory=deque)
    heard: float = 0.0
    live: bool = False
    """Whether it was heard while somebody looked, not only read of before."""

    @property
    def first(self) -> Mapping[str, Any]:
        """The oldest that is kept."""
        return self.words[0]

    @property
    def last(self) -> Mapping[str, Any]:
        """The newest."""
        return self.words[-1]

    @property
    def seconds(self) -> float:
        """From the first word to the last, by the worker's own clock."""
        return float(self.last["at"] - self.first["at"]) / 1000.0


class History:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._spoken: dict[str, Spoken] = {}

    def take(self, value: bytes, heard: float, live: bool = True) -> None:
        """A record's value. heard: when it was said, seconds of the looking clock. live: as it came
        in, not read of before. A worker that leaves in order is gone at once.
        """
        one = parse_record(value)
        if one is None:
            return
        name = one["instance"]
        if one.get("leaves"):
            self._spoken.pop(name, None)
            return
        spoken = self._spoken.setdefault(name, Spoken())
        if spoken.words and (one["role"] != spoken.last["role"] or one["at"] < spoken.last["at"]):
            spoken.words.clear()  # another process of that name, or another clock
        spoken.words.append(one)
        spoken.heard, spoken.live = heard, spoken.live or live
        while spoken.seconds > WINDOW_MS / 1000.0:
            spoken.words.popleft()

    def workers(self, now: float) -> dict[str, Spoken]:
        """Those that are not gone, by name: who serves, who learns, who waits."""
        order = ("serve", "learn", "standby")
        there = {name: one for name, one in self._spoken.items() if now - one.heard < GONE_SECONDS}
        return dict(
            sorted(
                there.items(),
                key=lambda row: (
                    order.index(row[1].last["role"]) if row[1].last["role"] in order else 9,
                    row[0],
                ),
            )
        )
