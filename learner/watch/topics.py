"""Topics of posts: groups of vectors that are near each other. A topic's number is its own as long
as it lives and is never given again.

Between two tidyings centres stand still, so that what a share is compared with was counted by the
same centres; new topics begin at once. Tidying moves centres, joins topics that became one, and
ends those that nobody writes of any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.watch.rows import Row, Rows

__all__ = ["BEGINS", "Topic", "Topics"]

BEGINS = 5
"""Posts of different authors make a topic."""
JOINS = 0.9
"""Topics whose centres are so near are one."""
_SHARP = 0.05  # a centre has less noise than a post: what belongs to it is nearer
_MOVES = 3


@dataclass(slots=True)
class Topic:
    """number: its id. name: of its words. began: UTC ms. centre: (D,), of length 1."""

    number: int
    name: str
    began: int
    centre: NDArray[np.float32]


class Topics:
    """most: so many at a time; where there are, a new one takes the place of the smallest."""

    def __init__(self, dimension: int, most: int) -> None:
        self.most = most
        self.all: list[Topic] = []
        self.last = 0
        self.centres = np.zeros((0, dimension), np.float32)

    def place(self, vector: NDArray[np.float32], near: float) -> int:
        """Where the topic of a post stands in `all`, -1 without one. near: the cosine from which
        two posts are alike.
        """
        if not self.all:
            return -1
        cosines = self.centres @ vector
        best = int(np.argmax(cosines))
        return best if cosines[best] >= near + _SHARP else -1

    def begin(self, recent: Rows, near: float, now: int) -> Topic | None:
        """A new topic, where the newest of these rows is in none and others that are in none
        either are near it.
        """
        own = len(recent) - 1
        alike = [
            int(row)
            for row in np.flatnonzero(recent.used @ recent.used[own] >= near)
            if recent.rows[row].topic == 0
        ]
        if _authors([recent.rows[row] for row in alike]) < BEGINS:
            return None
        self.last += 1
        topic = Topic(self.last, "", now, _mean(recent.used[alike]))
        for row in alike:
            recent.rows[row].topic = topic.number
        self.all.append(topic)
        self._restack()
        return topic

    def remove(self, numbers: set[int]) -> None:
        """Ends those."""
        self.all = [one for one in self.all if one.number not in numbers]
        self._restack()

    def assign(self, rows: Rows, near: float) -> NDArray[np.int64]:
        """Says of each row again which topic is its own; how many each has, (T,)."""
        counts = np.zeros(len(self.all), np.int64)
        if not self.all or not len(rows):
            for row in rows.rows:
                row.topic = 0
            return counts
        cosines = rows.used @ self.centres.T  # (n, T)
        best = np.argmax(cosines, axis=1)
        inside = cosines.max(axis=1) >= near + _SHARP
        numbers = np.array([topic.number for topic in self.all])
        for row, number in zip(rows.rows, np.where(inside, numbers[best], 0).tolist(), strict=True):
            row.topic = number
        return np.bincount(best[inside], minlength=len(self.all))

    def assign_early(self, sample: Rows, near: float) -> tuple[int, int]:
        """Gives the newest topic its rows; how many of the early ones it has, of how many."""
        self.assign(sample, near)
        early = [row for row in sample.rows if row.early]
        return sum(row.topic == self.last for row in early), len(early)

    def smallest(self, recent: Rows) -> int:
        """The number of the topic of the fewest newest posts, the youngest of several."""
        counts = {topic.number: 0 for topic in self.all}
        for row in recent.rows:
            if row.topic in counts:
                counts[row.topic] += 1
        return min(counts, key=lambda number: (counts[number], -number))

    def move(self, rows: Rows) -> None:
        """Each centre to the mean of its own rows."""
        own = np.array([row.topic for row in rows.rows], np.int64)
        for topic in self.all:
            places = np.flatnonzero(own == topic.number)
            if len(places) >= _MOVES:
                topic.centre = _mean(rows.used[places])
        self._restack()

    def join(self) -> dict[int, int]:
        """Ends the younger of two that are one; its number, and the elder's."""
        joined: dict[int, int] = {}
        for place, topic in enumerate(self.all):
            for elder in self.all[:place]:
                if elder.number not in joined and float(elder.centre @ topic.centre) >= JOINS:
                    joined[topic.number] = elder.number
                    break
        self.remove(set(joined))
        return joined

    def _restack(self) -> None:
        dimension = self.centres.shape[1]
        self.centres = (
            np.stack([one.centre for one in self.all])
            if self.all
            else np.zeros((0, dimension), np.float32)
        )


def _authors(rows: list[Row]) -> int:
    """How many wrote these; each post that nobody is known of counts as one."""
    return len({row.by or f"\0{row.key}" for row in rows})


def _mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
