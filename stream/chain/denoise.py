"""Noise out of the stream, counted by reason, never silently: retries of an event_id, bounces,
bots.

A record that is delivered again is no duplicate of itself: an id is remembered with the position it
came from. All that is remembered is bounded and gone with the process; an app's retry after a
restart is found by the history that is stored with the user.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stream.chain.records import Arrival
from upwell.events import Action, Click, Control, ControlKind, Query, Review
from upwell.schema import key_of
from upwell.system.lru import Lru

__all__ = ["Denoiser", "NoiseLimits"]

BOT_WINDOW_MS = 60_000
WATCHED_USERS = 10_000

Position = tuple[str, int]
EventKey = tuple[str, str, str | None]
"""Topic, user (or item), event_id: a guest's events may come again as those of who logged in."""
Times: TypeAlias = "array[int]"


@dataclass(frozen=True, slots=True)
class NoiseLimits:
    """window: event ids remembered, 0 for none. bounce_ms: a view that was left sooner is a bounce;
    0 is off.

    bot_events: a user with more clicks, reviews and queries in a minute of the events' own time is
    a bot; 0 is off. People who rate what they have seen in years do so in bursts: the fastest of
    MovieLens gave 392 ratings in ten seconds of `ts`, of Steam 10.
    """

    window: int
    bounce_ms: int
    bot_events: int = 0


class Denoiser:
    """`split` changes nothing until `commit`: a batch that is done again is judged the same again.
    One thread calls it.
    """

    def __init__(self, limits: NoiseLimits) -> None:
        self._limits = limits
        self._seen: Lru[EventKey, Position] = Lru(limits.window)
        self._pace = _Pace(limits.bot_events)
        self._new_ids: dict[EventKey, Position] = {}
        self._forgotten: list[str] = []

    def split(self, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], Counter[str]]:
        """What stays, in order, and how many were dropped by reason: duplicates, bounces, bots."""
        self._new_ids = {}
        self._forgotten = []
        self._pace.begin()
        kept: list[Arrival] = []
        dropped: Counter[str] = Counter()
        for arrival in arrivals:
            reason = self._reason(arrival)
            if reason is None:
                kept.append(arrival)
                event = arrival.event
                if isinstance(event, Control) and event.kind is ControlKind.FORGET_USER:
                    self._forgotten.append(event.user_id or "")
            else:
                dropped[reason] += 1
        return kept, dropped

    def commit(self) -> None:
        """The batch that was split last is stored: remember its ids, and how fast its users were
        but for those to be forgotten.
        """
        for key, position in self._new_ids.items():
            self._seen.setdefault(key, position)
        self._new_ids = {}
        self._pace.commit()
        for user in self._forgotten:
            self._pace.forget(user)

    def _reason(self, arrival: Arrival) -> str | None:
        event = arrival.event
        position = (arrival.source, arrival.offset)
        key = (arrival.topic, key_of(event), event.event_id)
        first = self._seen.get(key) or self._new_ids.get(key)
        if self._limits.window and first not in (None, position):
            return "duplicates"
        if (
            isinstance(event, Click)
            and event.action is Action.VIEW
            and event.dwell_ms is not None
            and event.dwell_ms < self._limits.bounce_ms
        ):
            return "bounces"
        if isinstance(event, Click | Review | Query) and self._pace.is_bot(
            event.user_id, event.ts, position
        ):
            return "bots"
        if event.event_id is not None:
            self._new_ids[key] = position
        return None


class _Pace:
    """How many events each of the users seen last had in any minute; of each user as many times are
    kept as it takes to tell.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: Lru[str, Times] = Lru(WATCHED_USERS)
        self._counted: dict[str, int] = {}
        self._new_times: dict[str, Times] = {}
        self._new_counted: dict[str, int] = {}

    def begin(self) -> None:
        """Drop what was not committed."""
        self._new_times, self._new_counted = {}, {}

    def forget(self, user: str) -> None:
        self._times.pop(user, None)

    def commit(self) -> None:
        for user, times in self._new_times.items():
            self._times[user] = times
        self._counted |= self._new_counted
        self.begin()

    def is_bot(self, user: str, ts: int, position: Position) -> bool:
        """Whether the user had more events than the limit in the minute that ends at `ts`, this one
        among them.
        """
        if not self._limit:
            return False
        if user not in self._new_times:
            self._new_times[user] = array("q", self._times.get(user, ()))
        times = self._new_times[user]
        source, offset = position
        if offset > max(
            _last(self._counted, source), _last(self._new_counted, source)
        ):  # else it is delivered again
            insort(times, ts)
            del times[: -self._limit - 1]
            self._new_counted[source] = offset
        return bisect_right(times, ts) - bisect_right(times, ts - BOT_WINDOW_MS) > self._limit


def _last(counted: Mapping[str, int], source: str) -> int:
    return counted.get(source, -1)
