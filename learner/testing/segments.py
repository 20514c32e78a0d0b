"""What lists are worth to groups of users that an operator names: running NDCG@10 and HR@10 by
segment, told only of groups of enough users.

A user of several named segments counts in each, one of none in `other`. It counts ranks that it is
handed; it knows nothing about how they came about, nor who put whom into a segment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.testing.figures import CUTOFF, RUNNING_HALF_LIFE
from upwell.settings.segments import OTHER_USERS
from upwell.values import Example

__all__ = ["FEWEST", "Members", "SegmentFigures", "faded", "gap", "quality"]

FEWEST = 20
"""Users of a group, without whom its figures are not told: those of a few people are nearly those
of one.
"""
NAMES = "segment_names"


def quality(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) gain, hit and 1 of each of n targets on these ranks, from 1."""
    hits = ranks <= CUTOFF
    gains = np.where(hits, 1.0 / np.log2(1.0 + ranks), 0.0)
    return np.stack([gains, hits, np.ones_like(gains)], axis=1)


def faded(sums: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) the sums after (n, m) more, where each makes what was before it count less."""
    keep = 2.0 ** (-1.0 / RUNNING_HALF_LIFE)
    fades = keep ** np.arange(len(values) - 1, -1, -1)
    return np.asarray(sums * keep ** len(values) + fades @ values, np.float64)


def gap(values: Collection[float | None]) -> float | None:
    """Between the largest and the smallest that are told; None of fewer than two (Fairlearn's
    `MetricFrame.difference`).
    """
    told = [value for value in values if value is not None]
    return max(told) - min(told) if len(told) > 1 else None


class Members:
    """Who was met lately in each group, in memory alone: of a group the newest `FEWEST` users, by
    pseudonym, which is all that it takes to know that there are so many.

    names: of the segments; the groups are these and `other`, by place.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.groups = (*self.names, OTHER_USERS)
        self._met: list[dict[str, int]] = [{} for _ in self.groups]
        self._counts = [0] * len(self.groups)

    def places(self, segments: Collection[str]) -> tuple[int, ...]:
        """The groups of a user who is in these segments."""
        own = tuple(place for place, name in enumerate(self.names) if name in segments)
        return own or (len(self.names),)

    def meet(self, user: str, places: Sequence[int]) -> None:
        """One target, or list, of this user."""
        for place in places:
            self._counts[place] += 1
            met = self._met[place]
            met.pop(user, None)
            met[user] = self._counts[place]
            if len(met) > FEWEST:
                del met[next(iter(met))]

    def forget(self, user: str) -> None:
        """As if never met."""
        for met in self._met:
            met.pop(user, None)

    def told(self) -> tuple[bool, ...]:
        """Of which groups figures may be told: `FEWEST` users in its last thousand.

        Where a group has some users and too few, the smallest of the others is not told either: its
        figures would be what is left of those of all users.
        """
        enough = [self._enough(place) for place in range(len(self.groups))]
        too_few = any(count and not ok for count, ok in zip(self._counts, enough, strict=True))
        left = [place for place, ok in enumerate(enough) if ok]
        if too_few and left:
            enough[min(left, key=lambda place: self._counts[place])] = False
        return tuple(enough)

    def _enough(self, place: int) -> bool:
        met = self._met[place]
        if len(met) < FEWEST:
            return False
        return self._counts[place] - next(iter(met.values())) < RUNNING_HALF_LIFE


class SegmentFigures:
    """Of each group with a half-life of 1,000 of its own targets, as of the groups by activity."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.members = Members(names)
        self._sums = np.zeros((len(self.members.groups), 3))

    def record(self, ranks: NDArray[np.float64], examples: Sequence[Example]) -> None:
        """ranks: (n,) of the targets of n tested examples, from 1."""
        if not self.members.names:
            return
        own: list[list[int]] = [[] for _ in self.members.groups]
        for number, one in enumerate(examples):
            places = self.members.places(one.segments)
            self.members.meet(one.user, places)
            for place in places:
                own[place].append(number)
        values = quality(ranks)
        for place, numbers in enumerate(own):
            self._sums[place] = faded(self._sums[place], values[numbers])

    def forget(self, user: str) -> None:
        """Who was in which group is forgotten; sums name nobody."""
        self.members.forget(user)

    def report(self) -> dict[str, dict[str, float | None]]:
        """JSON-ready, by group `ndcg10` and `hr10`; None where they may not be told. Empty where no
        segment is named.
        """
        if not self.members.names:
            return {}
        rows = zip(self.members.groups, self._sums, self.members.told(), strict=True)
        return {
            name: {
                "ndcg10": float(gain / weight) if told and weight else None,
                "hr10": float(hit / weight) if told and weight else None,
            }
            for name, (gain, hit, weight), told in rows
        }

    def gaps(self) -> dict[str, float | None]:
        """JSON-ready: of each figure, how far the best group is from the worst of those told."""
        told = self.report().values()
        return {by: gap([one[by] for one in told]) for by in ("ndcg10", "hr10") if told}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The sums and their groups' names, for a checkpoint; who was met is in none."""
        if not self.members.names:
            return {}
        names = "\n".join(self.members.groups).encode()
        return {"segment": self._sums.copy(), NAMES: np.frombuffer(names, np.uint8)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave, of groups that have a name here; all others begin anew,
        and `other` where the named ones are not the same, which makes it other users.
        """
        self.members = Members(self.members.names)
        self._sums[...] = 0.0
        known = arrays[NAMES].tobytes().decode().split("\n") if NAMES in arrays else []
        same = set(known) == set(self.members.groups)
        for name, sums in zip(known, arrays.get("segment", ()), strict=True):
            if name in self.members.names or same:
                self._sums[self.members.groups.index(name)] = sums
