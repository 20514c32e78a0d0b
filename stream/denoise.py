"""Noise out of the stream, counted by reason, never silently: retries of an event_id, bounces, bots.

A record that is delivered again is no duplicate of itself: an id is remembered with the position it came from.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from stream.records import Arrival
from upwell.events import Action, Click, Control, Request

__all__ = ["Denoiser", "NoiseLimits"]

MINUTE_MS = 60_000
WATCHED_USERS = 10_000

Position = tuple[str, int]


@dataclass(frozen=True, slots=True)
class NoiseLimits:
    """window: event ids remembered. bounce_ms: a view that was left sooner is a bounce. bot_events: a minute of event time; 0 is off."""

    window: int
    bounce_ms: int
    bot_events: int = 0


class Denoiser:
    """`split` changes nothing until `commit`: a batch that is done again is judged the same again."""

    def __init__(self, limits: NoiseLimits) -> None:
        self._limits = limits
        self._seen: OrderedDict[str, Position] = OrderedDict()
        self._pending: dict[str, Position] = {}
        self._recent: OrderedDict[str, deque[tuple[int, Position]]] = OrderedDict()

    def split(self, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], Counter[str]]:
        """What stays, in order, and how many were dropped by reason: duplicates, bounces, bots."""
        self._pending = {}
        kept: list[Arrival] = []
        dropped: Counter[str] = Counter()
        for arrival in arrivals:
            reason = self._reason(arrival)
            if reason is None:
                kept.append(arrival)
            else:
                dropped[reason] += 1
        return kept, dropped

    def commit(self) -> None:
        """The batch is stored: remember its ids."""
        for event_id, position in self._pending.items():
            self._seen.setdefault(event_id, position)
        self._pending = {}
        while len(self._seen) > self._limits.window:
            self._seen.popitem(last=False)

    def _reason(self, arrival: Arrival) -> str | None:
        event = arrival.event
        position = (arrival.source, arrival.offset)
        key = f"{arrival.topic}/{event.event_id}"
        first = self._seen.get(key) or self._pending.get(key)
        if first is not None and first != position:
            return "duplicates"
        if isinstance(event, Click) and event.action is Action.VIEW and (event.dwell_ms or self._limits.bounce_ms) < self._limits.bounce_ms:
            return "bounces"
        if self._limits.bot_events and self._is_bot(arrival, position):
            return "bots"
        self._pending[key] = position
        return None

    def _is_bot(self, arrival: Arrival, position: Position) -> bool:
        """More events than a person makes, in a minute of the events' own time."""
        event = arrival.event
        user = getattr(event, "user_id", None)
        if user is None or isinstance(event, Control | Request):
            return False
        recent = self._recent.setdefault(user, deque(maxlen=self._limits.bot_events + 1))
        self._recent.move_to_end(user)
        if len(self._recent) > WATCHED_USERS:
            self._recent.popitem(last=False)
        if all(known != position for _, known in recent):
            recent.append((event.ts, position))
        return len(recent) > self._limits.bot_events and max(recent)[0] - min(recent)[0] < MINUTE_MS
