"""A watch: posts in, one at a time, and what each changes. The same posts in the same order give
the same topics and alerts, to the digit. Time is that of the posts: the latest one so far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learner.desk.quantile import Recent
from learner.watch.alerts import Alert, Alerts
from learner.watch.changes import Changes
from learner.watch.keys import Keys
from learner.watch.mood import Mood
from learner.watch.options import Options
from learner.watch.post import Post, key_of
from learner.watch.rows import Row, Rows
from learner.watch.topics import Topics
from learner.watch.words import COPY, named, normalized, told_apart

__all__ = ["COUNTED", "WEIGHTS", "Told", "Watch"]

COUNTED, REPEATED, LATE, COPIED, AUTHOR = "counted", "repeated", "late", "copied", "author"
WEIGHTS = (COUNTED, REPEATED, LATE, COPIED, AUTHOR)
ALIKE = 0.98
"""So many of the pairs of posts that follow each other are less alike than what is alike."""
SPREADS = 5.0
_SETTLED = 1_000
_LOOKS = 32


@dataclass(frozen=True, slots=True)
class Told:
    """topic: its number, None in none. sentiment: in [-1, 1], None while too little is known, the
    label is not looked at. weight: `counted`, or why not: `repeated` (this id was here before),
    `late` (older than the window), `copied` (this text was), `author` (of the same one on the same
    topic). alerts: to be told now.
    """

    topic: int | None
    sentiment: float | None
    weight: str
    alerts: tuple[Alert, ...] = ()


class Watch:
    """dimension: of vectors, which have length 1. now: UTC ms of the latest post. near: the cosine
    from which two posts are alike.
    """

    def __init__(self, dimension: int, options: Options) -> None:
        self.options = options
        self.now = 0
        self.counted = 0
        self.epoch = -1
        self.alike = Recent(0.6)
        self.near = self.alike.first
        self.sample = Rows(dimension, options.sample, even=True)
        self.recent = Rows(dimension, options.recent, even=False)
        self.topics = Topics(dimension, options.topics)
        self.mood = Mood(dimension)
        self.changes = Changes(options)
        self.alerts = Alerts(options.quiet)
        self.ids, self.texts, self.authors = Keys(), Keys(), Keys()

    def read(self, post: Post, vector: NDArray[np.float32]) -> Told:
        """What a post says and changes. vector: (D,). A label is learned from once it was told."""
        if self.ids.seen(key_of(post.post_id), post.ts, 1 << 62):
            return Told(None, None, REPEATED)
        told = self.mood.told(post.text, vector)
        if post.sentiment is not None:
            self.mood.learn(post.text, vector, post.sentiment)
        if post.ts < self.now - self.options.window_ms:
            return Told(None, told, LATE)
        elapsed = max(0, post.ts - self.now) if self.counted else 0
        self.now = max(self.now, post.ts)
        if self.now // self.options.epoch_ms != self.epoch:
            self.tidy()
        place = self.topics.place(vector, self.near)
        number = self.topics.all[place].number if place >= 0 else 0
        weight = self._weight(post, vector, number)
        if weight == COUNTED:
            said = told if post.sentiment is None else post.sentiment
            number = self._count(post, vector, place, said, elapsed)
        return Told(number or None, told, weight, self.alerts.due(self.now))

    def tick(self, now: int) -> tuple[Alert, ...]:
        """What is to be told at UTC ms without a post: what quiet hours held back."""
        return self.alerts.due(now)

    def acknowledge(self, alert_id: str) -> bool:
        """Closes an alert; whether it is known. It is silent until it changes again."""
        return self.alerts.acknowledge(alert_id)

    def held(self, by: str) -> list[Row]:
        """An author's posts that it has in mind, in no order, each once."""
        own = {
            row.post_id: row
            for rows in (self.sample, self.recent)
            for row in rows.rows
            if row.by == by
        }
        return list(own.values())

    def rename(self, before: str, by: str) -> None:
        """Who wrote as `before` is the same person as `by`."""
        for rows in (self.sample, self.recent):
            for row in rows.rows:
                if row.by == before:
                    row.by = by

    def forget(self, by: str) -> int:
        """Removes an author's posts; how many there were. Weights and centres stay."""
        own = {
            row.post_id for rows in (self.sample, self.recent) for row in rows.rows if row.by == by
        }
        self.sample.keep(lambda row: row.by != by)
        self.recent.keep(lambda row: row.by != by)
        self.alerts.forget(own)
        for number in (0, *(topic.number for topic in self.topics.all)):
            self.authors.times.pop(self._author(by, number), None)
        return len(own)

    def tidy(self) -> None:
        """Once an epoch: what is old goes, centres move, bounds are drawn anew."""
        self.epoch = self.now // self.options.epoch_ms
        begins = self.now - self.options.window_ms
        for rows in (self.sample, self.recent):
            rows.keep(lambda row: row.ts >= begins)
            rows.widen()
        self._look()
        topics = self.topics
        topics.assign(self.sample, self.near)
        topics.move(self.sample)
        ended = set(topics.join())
        counts = topics.assign(self.sample, self.near) + topics.assign(self.recent, self.near)
        faded = {one.number for one, count in zip(topics.all, counts, strict=True) if not count}
        topics.remove(faded)
        self._name()
        for row in self.sample.rows:
            row.early = True
        self.alerts.end(ended | faded, begins)
        self.changes.bound(topics, self.sample)

    def _count(
        self, post: Post, vector: NDArray[np.float32], place: int, said: float | None, elapsed: int
    ) -> int:
        self.counted += 1
        if self.recent.rows:
            self.alike.add(float(self.recent.used[-1] @ vector))
        if len(self.alike.numbers) < _SETTLED and self.counted % _LOOKS == 0:
            self._look()
        number = self.topics.all[place].number if place >= 0 else 0
        key, words = key_of(post.post_id), named(post.text)
        row = Row(key, post.post_id, post.text, post.by, post.ts, number, said, words=words)
        self.recent.add(row, vector)
        self.sample.add(replace(row), vector)
        for change in self.changes.step(place, post.ts, said, elapsed):
            topic = self.topics.all[change.place]
            self.alerts.raised(
                self.changes.alert(change, topic, self.recent, self.sample, self.now)
            )
        return number or self._begin()

    def _begin(self) -> int:
        """The number of the topic that the newest post begins; 0 without."""
        topic = self.topics.begin(self.recent, self.near, self.now)
        if topic is None:
            return 0
        topics = self.topics
        before = topics.assign_early(self.sample, self.near)
        if len(topics.all) > self.options.topics:
            gone = topics.smallest(self.recent)
            topics.remove({gone})
            self.alerts.end({gone}, 0)
            if gone == topic.number:
                return 0
        self._name(topic.number)
        self.changes.begin(topics, *before)
        return topic.number

    def _weight(self, post: Post, vector: NDArray[np.float32], number: int) -> str:
        window = self.options.window_ms
        text = normalized(post.text)
        if text and self.texts.seen(key_of(text), post.ts, window):
            return COPIED
        if len(self.recent) and float(np.max(self.recent.used @ vector)) >= COPY:
            return COPIED
        within = window if number else self.options.epoch_ms
        if post.by and self.authors.seen(self._author(post.by, number), post.ts, within):
            return AUTHOR
        return COUNTED

    def _author(self, by: str, number: int) -> int:
        return key_of(by, str(number))

    def _look(self) -> None:
        """What is alike: two posts of different topics hardly are. Where a few topics are most of
        what is written, a fiftieth of all pairs is less than those of one topic, so it is told by
        how far the lower half spreads too.
        """
        middle = self.alike.quantile(0.5)
        spread = middle - self.alike.quantile(0.25)
        self.near = min(self.alike.quantile(ALIKE), middle + SPREADS * spread)

    def _name(self, only: int = 0) -> None:
        """Every topic, or that one alone."""
        rows = {row.key: row for row in (*self.sample.rows, *self.recent.rows)}
        names = told_apart(rows.values(), only)
        for topic in self.topics.all:
            if only in (0, topic.number):
                topic.name = names.get(topic.number, topic.name)
