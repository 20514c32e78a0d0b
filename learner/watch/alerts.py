"""Alerts: one open at a time for a topic and a kind, updated instead of repeated, held back in
quiet hours, closed by who acknowledges it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

__all__ = ["BURST", "KINDS", "MOOD", "NEW", "Alert", "Alerts", "Quoted"]

NEW, BURST, MOOD = "new", "burst", "mood"
KINDS = (NEW, BURST, MOOD)
_HOUR_MS = 3_600_000
_CLOSED = 1_000


@dataclass(frozen=True, slots=True)
class Quoted:
    """A post that speaks for its topic."""

    post_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """alert_id: the same for all that is told of one change. update: 0 when it is told first.
    kind: `new` and `burst` are about a topic's share of posts, `mood` about their mean sentiment:
    `was` before, `now` since, between `low` and `high` with 95 %. since: UTC ms from which on it
    most likely is so. at: of the post that told it. posts: five at most.
    """

    alert_id: str
    update: int
    kind: str
    topic: int
    name: str
    was: float
    now: float
    low: float
    high: float
    since: int
    at: int
    posts: tuple[Quoted, ...]


class Alerts:
    """quiet: hours of the day, UTC, from and to, in which nothing is told; None without. open: by
    topic and kind. held: those that wait for the end of the quiet hours. closed: ids of the last
    thousand that are not open any more.
    """

    def __init__(self, quiet: tuple[int, int] | None) -> None:
        self.quiet = quiet
        self.open: dict[tuple[int, str], Alert] = {}
        self.held: dict[tuple[int, str], Alert] = {}
        self.closed: deque[str] = deque(maxlen=_CLOSED)

    def raised(self, alert: Alert) -> Alert:
        """A change that was found, as it is told: with an id, or as an update of the open one,
        which keeps what was before. It is told by `due`.
        """
        key = (alert.topic, alert.kind)
        before = self.open.get(key)
        if before is None:
            told = replace(alert, alert_id=_alert_id(alert), update=0)
        else:
            told = replace(
                alert,
                alert_id=before.alert_id,
                update=before.update + (key not in self.held),
                was=before.was,
                since=min(before.since, alert.since),
            )
        self.open[key] = told
        self.held[key] = told
        return told

    def due(self, now: int) -> tuple[Alert, ...]:
        """What is to be told now, UTC ms: all that waits, or nothing in quiet hours."""
        if self.is_quiet(now):
            return ()
        told = tuple(self.held.values())
        self.held.clear()
        return told

    def is_quiet(self, now: int) -> bool:
        """Whether UTC ms is within the quiet hours."""
        if self.quiet is None:
            return False
        begins, ends = self.quiet
        hour = now // _HOUR_MS % 24
        return begins <= hour < ends if begins <= ends else hour >= begins or hour < ends

    def acknowledge(self, alert_id: str) -> bool:
        """Closes it; whether it is known, open or closed. The next change opens another."""
        self._drop([key for key, alert in self.open.items() if alert.alert_id == alert_id])
        return alert_id in self.closed

    def end(self, topics: set[int], before: int) -> None:
        """Closes those of topics that are no more, and those last told before UTC ms."""
        self._drop([key for key, one in self.open.items() if key[0] in topics or one.at < before])

    def forget(self, post_ids: set[str]) -> int:
        """Quotes none of these posts any more; how many there were."""
        gone = 0
        for table in (self.open, self.held):
            for key, alert in table.items():
                left = tuple(one for one in alert.posts if one.post_id not in post_ids)
                gone += len(alert.posts) - len(left) if table is self.open else 0
                table[key] = replace(alert, posts=left)
        return gone

    def _drop(self, keys: Iterable[tuple[int, str]]) -> None:
        for key in keys:
            self.closed.append(self.open.pop(key).alert_id)
            self.held.pop(key, None)


def _alert_id(alert: Alert) -> str:
    content = f"{alert.topic}\0{alert.kind}\0{alert.at}"
    return blake2b(content.encode(), digest_size=8).hexdigest()
