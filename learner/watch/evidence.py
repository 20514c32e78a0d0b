"""Evidence that something has changed, a number for each topic, with a stated number of false
alarms whatever the number of topics.

Before each step some mass is laid on all topics; a step multiplies by a factor whose expectation is
at most 1 while nothing has changed. So evidence is in expectation at most the mass that was laid,
and an alarm, at which evidence of 1 at least is taken away, is raised at most as often as masses of
1 were laid: Shiryaev and Roberts' procedure as an e-detector (Shin, Ramdas and Rinaldo 2024), whose
starts are shared out among topics and sizes of change.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evidence", "Onset", "mood_factors", "share_factors"]

TIMES = np.array([1.25, 1.6, 2.2, 3.5, 6.0, 12.0])
"""By how much a share may have risen above its bound."""
BETS = np.array([0.05, 0.1, 0.2, 0.35, 0.6, 0.9])
"""How much is bet on a mood beyond its bound, of what may be bet."""
SIZES = len(TIMES)


@dataclass(frozen=True, slots=True)
class Onset:
    """Since when it has most likely been so: UTC ms, posts since, and the sum of what was seen."""

    ts: int
    posts: int
    sum: float


@dataclass(slots=True)
class Evidence:
    """Each by topic and size of change, (T, S). evidence: the sum of Shiryaev and Roberts. run:
    Page's, which tells since when: `begun`, `posts`, `sums` are as of its newest start. bounds:
    (T,), what is still usual. before: (T, 2), what was seen of how many before.
    """

    numbers: NDArray[np.int64]
    bounds: NDArray[np.float64]
    before: NDArray[np.float64]
    evidence: NDArray[np.float64]
    run: NDArray[np.float64]
    begun: NDArray[np.int64]
    posts: NDArray[np.int64]
    sums: NDArray[np.float64]

    @classmethod
    def none(cls) -> Evidence:
        """Of no topic."""
        whole, part = np.zeros((0, SIZES), np.int64), np.zeros((0, SIZES))
        return cls(
            np.zeros(0, np.int64),
            np.zeros(0),
            np.zeros((0, 2)),
            part,
            part.copy(),
            whole,
            whole.copy(),
            part.copy(),
        )

    def align(self, numbers: list[int]) -> None:
        """To these topics, in this order. One that is new has the bound 1: nothing is tested."""
        known = {int(number): place for place, number in enumerate(self.numbers)}
        places = np.array([known.get(number, -1) for number in numbers], np.int64)
        for one in fields(self):
            array = getattr(self, one.name)
            taken = np.zeros((len(places), *array.shape[1:]), array.dtype)
            taken[places >= 0] = array[places[places >= 0]]
            setattr(self, one.name, taken)
        self.bounds[places < 0] = 1.0
        self.numbers = np.array(numbers, np.int64)

    def lay(self, mass: float) -> None:
        """On all of them, in equal parts."""
        if self.evidence.size:
            self.evidence += mass / self.evidence.size

    def step(
        self,
        places: slice,
        factors: NDArray[np.float64],
        ts: int,
        seen: NDArray[np.float64] | float,
    ) -> None:
        """Multiplies. places: which topics, t of them. factors: (t, S). seen: (t, 1)."""
        self.evidence[places] *= factors
        starts = self.run[places] <= 1.0
        self.begun[places] = np.where(starts, ts, self.begun[places])
        self.posts[places] = np.where(starts, 0, self.posts[places]) + 1
        self.sums[places] = np.where(starts, 0.0, self.sums[places]) + seen
        self.run[places] = np.minimum(np.where(starts, 1.0, self.run[places]) * factors, 1e300)

    def alarms(self) -> list[int]:
        """Places of topics whose evidence is enough."""
        return [int(one) for one in np.flatnonzero(self.evidence.sum(axis=1) >= 1.0)]

    def onset(self, place: int) -> Onset:
        """Of the size of change that is likeliest."""
        size = int(np.argmax(self.run[place]))
        return Onset(
            int(self.begun[place, size]),
            int(self.posts[place, size]),
            float(self.sums[place, size]),
        )

    def restart(self, place: int) -> None:
        """After an alarm: from nothing, and without a bound until there is a new one."""
        self.evidence[place] = 0.0
        self.run[place] = 0.0
        self.bounds[place] = 1.0


def share_factors(bounds: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """Of a post in the topic at `place`, -1 for one in none: likelihood of a risen share over that
    of the bound, (T, S); 1 in expectation at the bound, less below it.
    """
    tested = bounds < 0.95
    usual = np.where(tested, bounds, 0.5)[:, None]
    risen = np.minimum(TIMES * usual, (1.0 + usual) / 2.0)
    factors = (1.0 - risen) / (1.0 - usual)
    if place >= 0:
        factors[place] = risen[place] / usual[place]
    factors[~tested] = 1.0
    return np.asarray(factors, np.float64)


def mood_factors(bound: float, mood: float) -> NDArray[np.float64]:
    """Of a post's mood in [-1, 1], (1, S): at most 1 in expectation while their mean is at most the
    bound.
    """
    if bound >= 1.0:
        return np.ones((1, SIZES))
    return np.asarray(1.0 + BETS[None] * (mood - bound) / (1.0 + bound), np.float64)
