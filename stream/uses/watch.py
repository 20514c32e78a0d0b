"""The opinion watch as a use: posts and acknowledgements to alerts. What it learns is
`learner.watch`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from learner.watch import state
from learner.watch.alerts import KINDS
from learner.watch.alerts import Alert as Found
from learner.watch.options import Options
from learner.watch.post import Post, key_of
from learner.watch.watch import WEIGHTS, Watch
from stream.chain.scrub import scrub
from stream.uses.port import Heard, Published, Refused
from upwell.errors import SettingsError
from upwell.settings.uses import UseSettings
from upwell.uses import watch as records
from upwell.uses.shape import Shape
from upwell.uses.tables import SHAPES
from upwell.uses.topics import UseTopic

__all__ = ["OpinionWatch", "quiet_hours", "watch_options"]

_HOUR_MS = 3_600_000
_DIGITS = 6  # of shares and sentiments that are published


class OpinionWatch:
    """dimension: of vectors."""

    name = "watch"
    steps = UseTopic.WATCH_STEPS
    inputs: Mapping[UseTopic, Shape] = {
        topic: SHAPES[topic] for topic in (UseTopic.POSTS, UseTopic.ACKNOWLEDGEMENTS)
    }
    outputs = (UseTopic.ALERTS,)

    def __init__(self, dimension: int, options: Options) -> None:
        self._dimension = dimension
        self._options = options
        self.watch = Watch(dimension, options)
        self._counts: Counter[str] = Counter()

    def clean(self, event: Any) -> Any:
        """As `Use.clean`: a post may name anybody."""
        return replace(event, text=scrub(event.text)) if type(event) is records.Post else event

    def texts(self, event: Any) -> Sequence[str]:
        """As `Use.texts`."""
        match event:
            case records.Post() if not self.watch.ids.holds(key_of(event.post_id)):
                return (event.text,)
            case _:
                return ()

    def take(self, heard: Heard) -> Iterator[Published | Refused]:
        """As `Use.take`."""
        match heard.event:
            case records.Post():
                yield from self._read(heard)
            case records.Acknowledgement(alert_id=alert_id):
                if not self.watch.acknowledge(alert_id):
                    yield Refused(
                        "unknown_alert",
                        "no alert of this alert_id is open, nor was one of the last thousand: "
                        "send the alert_id of a record on alerts",
                    )

    def idle(self, now_ms: int) -> Iterator[Published]:
        """As `Use.idle`: what quiet hours held back."""
        return self._alert(self.watch.tick(now_ms))

    def forget(self, by: str) -> int:
        """As `Use.forget`."""
        return self.watch.forget(by)

    def merge(self, guest: str, by: str) -> None:
        """As `Use.merge`."""
        self.watch.rename(guest, by)

    def held(self, by: str) -> Sequence[Mapping[str, Any]]:
        """As `Use.held`: posts."""
        return [
            {"post_id": one.post_id, "ts": one.ts, "text": one.text, "sentiment": one.mood}
            for one in self.watch.held(by)
        ]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """As `Use.arrays`."""
        return state.arrays_of(self.watch)

    def meta(self) -> Mapping[str, Any]:
        """As `Use.meta`."""
        return {**state.meta_of(self.watch), "counts": dict(self._counts)}

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """As `Use.restore`."""
        self.watch = state.restored(self._dimension, self._options, arrays, meta)
        self._counts = Counter(meta["counts"])

    def figures(self) -> Mapping[str, Any]:
        """As `Use.figures`."""
        return {
            "posts": {one: self._counts[one] for one in WEIGHTS},
            "alerts": {one: self._counts[one] for one in KINDS},
            "open": len(self.watch.alerts.open),
            "topics": len(self.watch.topics.all),
            "labels": self.watch.mood.labels,
            "remembered": len(self.watch.sample),
        }

    def _read(self, heard: Heard) -> Iterator[Published]:
        """A post without a time, or from the future, is as old as the broker's record of it: else
        one wrong clock would make all others late.
        """
        said = heard.event
        if not len(heard.vectors):
            self._counts["repeated"] += 1
            return
        ts = min(said.ts or heard.at_ms, heard.at_ms)
        post = Post(said.post_id, said.text, heard.by, ts, said.sentiment)
        told = self.watch.read(post, heard.vectors[0])
        self._counts[told.weight] += 1
        yield from self._alert(told.alerts)

    def _alert(self, alerts: Sequence[Found]) -> Iterator[Published]:
        for alert in alerts:
            self._counts[alert.kind] += 1
            yield Published(UseTopic.ALERTS, alert.alert_id, _record(alert))


def watch_options(settings: UseSettings) -> Options:
    """Raises `SettingsError`."""
    return Options(
        window_ms=int(settings.watch_window * _HOUR_MS),
        false_alarms=settings.watch_false_alarms,
        times=settings.watch_times,
        points=settings.watch_points,
        topics=settings.watch_topics,
        quiet=quiet_hours(settings.watch_quiet),
    )


def quiet_hours(text: str | None, where: str = "UPWELL_WATCH_QUIET") -> tuple[int, int] | None:
    """From and to, of "22-6". Raises `SettingsError`."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text.strip())
    hours = tuple(map(int, found.groups())) if found else ()
    if len(hours) != 2 or max(hours) > 23 or hours[0] == hours[1]:
        raise SettingsError(
            f"{where} is {text!r}: two different hours of the day, UTC, are right, such as 22-6"
        )
    return hours


def _record(alert: Found) -> records.Alert:
    return records.Alert(
        alert_id=alert.alert_id,
        ts=alert.at,
        update=alert.update,
        kind=alert.kind,
        topic=alert.topic,
        name=alert.name,
        was=round(alert.was, _DIGITS),
        now=round(alert.now, _DIGITS),
        low=round(alert.low, _DIGITS),
        high=round(alert.high, _DIGITS),
        since=alert.since,
        posts=tuple(records.Quoted(post_id=one.post_id, text=one.text) for one in alert.posts),
    )
