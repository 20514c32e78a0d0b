"""What has changed: of each topic its share of posts and its mood, each against a bound that was
drawn from posts before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.watch.alerts import BURST, MOOD, NEW, Alert, Quoted
from learner.watch.bounds import mean_upper, share_lower, share_upper
from learner.watch.evidence import Evidence, Onset, mood_factors, share_factors
from learner.watch.options import Options
from learner.watch.rows import Row, Rows
from learner.watch.topics import BEGINS, Topic, Topics
from learner.watch.words import typical

__all__ = ["Change", "Changes"]

_SURE = 0.025  # that the interval of an alert misses, on either side
_UP, _DOWN = 1.0, -1.0
_HARDLY = 3  # posts
_MOODS = 400  # that a bound is drawn from, the newest so many


@dataclass(frozen=True, slots=True)
class Change:
    """place: of the topic. was: its share or mood, as it was compared. after: UTC ms of the change
    before this one, 0 without.
    """

    place: int
    kind: str
    was: float
    after: int
    onset: Onset


class Changes:
    """share, up, down: evidence of a risen share, of a mood that rose or fell. since: by topic and
    kind, UTC ms of its newest alarm; what is older is not what it is compared with any more.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.share, self.up, self.down = Evidence.none(), Evidence.none(), Evidence.none()
        self.since: dict[tuple[int, str], int] = {}

    def step(self, place: int, ts: int, mood: float | None, elapsed: int) -> list[Change]:
        """A post that counts, in the topic at `place`, -1 in none. elapsed: ms since the one
        before. Half of what may be false is for shares, half for moods.
        """
        mass = self.options.mass(elapsed)
        self.share.lay(mass / 2.0)
        here = np.zeros((len(self.share.numbers), 1))
        if place >= 0:
            here[place] = 1.0
        self.share.step(slice(None), share_factors(self.share.bounds, place), ts, here)
        changes = self._alarms(self.share, ts)
        for sign, side in ((_UP, self.up), (_DOWN, self.down)):
            side.lay(mass / 4.0)
            if place >= 0 and mood is not None:
                factors = mood_factors(float(side.bounds[place]), sign * mood)
                side.step(slice(place, place + 1), factors, ts, mood)
                changes += self._alarms(side, ts)
        return changes

    def begin(self, topics: Topics, hits: int, posts: int) -> None:
        """The newest topic: so many of the posts before would have been in it. It is one of many
        that might have begun: each that has more than its bound is one of at most as many as posts.
        """
        self._align(topics)
        risk = self.options.risk(len(topics.all)) / max(1, posts)
        share = self.share
        bound = float(share_upper(np.array([float(hits)]), np.array([float(posts)]), risk)[0])
        place = [topic.number for topic in topics.all].index(topics.last)
        share.bounds[place] = min(1.0, bound * self.options.times)
        share.before[place] = (hits, posts)

    def bound(self, topics: Topics, sample: Rows) -> None:
        """Draws every bound anew, of all that is in the sample."""
        self._align(topics)
        risk = self.options.risk(len(topics.all))
        times = np.array([row.ts for row in sample.rows], np.int64)
        own = np.array([row.topic for row in sample.rows], np.int64)
        moods = np.array([np.nan if row.mood is None else row.mood for row in sample.rows], float)
        for place, topic in enumerate(topics.all):
            later = times >= self.since.get((topic.number, BURST), 0)
            self.share.before[place] = (np.sum(later & (own == topic.number)), np.sum(later))
            said = (own == topic.number) & ~np.isnan(moods)
            said &= times >= self.since.get((topic.number, MOOD), 0)
            self._bound_mood(place, moods[said], risk)
        hits, posts = self.share.before.T
        self.share.bounds = np.minimum(1.0, share_upper(hits, posts, risk) * self.options.times)

    def alert(self, change: Change, topic: Topic, recent: Rows, sample: Rows, at: int) -> Alert:
        """A change as people see it."""
        onset = change.onset
        if change.kind == MOOD:
            moods = np.array(
                [
                    row.mood
                    for row in recent.rows
                    if row.topic == topic.number and row.mood is not None and row.ts >= onset.ts
                ]
            )
            now = onset.sum / onset.posts
            low, high = -mean_upper(-moods, _SURE), mean_upper(moods, _SURE)
        else:
            now = onset.sum / onset.posts
            low = share_lower(onset.sum, onset.posts, _SURE)
            sums, posts = np.array([onset.sum]), np.array([float(onset.posts)])
            high = float(share_upper(sums, posts, _SURE)[0])
        return Alert(
            alert_id="",
            update=0,
            kind=NEW if self._is_new(change, topic, sample) else change.kind,
            topic=topic.number,
            name=topic.name,
            was=_before(change, topic.number, sample),
            now=now,
            low=min(low, now),
            high=max(high, now),
            since=onset.ts,
            at=at,
            posts=_quoted(topic, onset.ts, recent, sample),
        )

    def _is_new(self, change: Change, topic: Topic, sample: Rows) -> bool:
        """Whether a burst is the first of a topic that began lately, and was hardly there an epoch
        before that.
        """
        if topic.began < change.onset.ts - self.options.window_ms // 2:
            return False
        before = topic.began - self.options.epoch_ms
        older = sum(row.topic == topic.number and row.ts < before for row in sample.rows)
        return change.kind == BURST and not change.after and older < _HARDLY

    def _alarms(self, evidence: Evidence, ts: int) -> list[Change]:
        found = []
        for place in evidence.alarms():
            number = int(evidence.numbers[place])
            one, other = evidence.before[place]
            if evidence is self.share:
                after = self.since.get((number, BURST), 0)
                kind, was = BURST, one / max(1.0, other)
                self.since[number, BURST] = ts
            else:
                after, kind, was = self.since.get((number, MOOD), 0), MOOD, one
                self.since[number, MOOD] = ts
            found.append(Change(place, kind, float(was), after, evidence.onset(place)))
            for side in (evidence,) if evidence is self.share else (self.up, self.down):
                side.restart(place)
        return found

    def _bound_mood(self, place: int, moods: NDArray[np.float64], risk: float) -> None:
        mean = float(moods.mean()) if len(moods) else 0.0
        for sign, side in ((_UP, self.up), (_DOWN, self.down)):
            upper = mean_upper(sign * moods[-_MOODS:], risk)
            side.bounds[place] = min(1.0, upper + self.options.points)
            side.before[place] = (mean, len(moods))

    def _align(self, topics: Topics) -> None:
        numbers = [topic.number for topic in topics.all]
        for evidence in (self.share, self.up, self.down):
            evidence.align(numbers)
        alive = set(numbers)
        self.since = {key: ts for key, ts in self.since.items() if key[0] in alive}


def _before(change: Change, topic: int, sample: Rows) -> float:
    """The share or mood between the change before and this one, of what is kept of it."""
    rows = [row for row in sample.rows if change.after <= row.ts < change.onset.ts]
    own = [row for row in rows if row.topic == topic]
    if change.kind != MOOD:
        return len(own) / len(rows) if rows else change.was
    moods = [row.mood for row in own if row.mood is not None]
    return sum(moods) / len(moods) if moods else change.was


def _quoted(topic: Topic, since: int, recent: Rows, sample: Rows) -> tuple[Quoted, ...]:
    """Posts since the change, of those that are kept; all of the topic where those are few."""
    chosen: Sequence[Row] = ()
    for begins in (since, 0):
        for rows in (recent, sample):
            own = [
                place
                for place, row in enumerate(rows.rows)
                if row.topic == topic.number and row.ts >= begins
            ]
            found = typical([rows.rows[place] for place in own], rows.used[own], topic.centre)
            chosen = max(chosen, found, key=len)
        if len(chosen) >= BEGINS:
            break
    return tuple(Quoted(row.post_id, row.text) for row in chosen)
