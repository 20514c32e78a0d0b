"""What lists are to groups of users that an operator names: how many of the lists are theirs, how
well these are calibrated, and how much of the exposure in them the least popular items have.

It tells of groups of enough users alone, and names no user.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from learner.testing.segments import Members, gap
from stream.fairness.exposure import HALF_LIFE

__all__ = ["SegmentLists"]

FIGURES = ("divergence", "tail")
_KEPT = 2.0 ** (-1.0 / HALF_LIFE)


class SegmentLists:
    """Faded as exposure is, by all lists. names: of the segments; who is in none is in `other`."""

    def __init__(self, names: Sequence[str]) -> None:
        self.members = Members(names)
        self._lists = np.zeros(len(self.members.groups))
        self._all = 0.0  # a list of two groups is one
        self._sums = np.zeros((len(self.members.groups), len(FIGURES), 2))  # sum, of how many

    def add(
        self, user: str, segments: Collection[str], divergence: float | None, tail: float
    ) -> None:
        """One list. user: the pseudonym. divergence: of its categories from what was liked, None
        where there is nothing to compare. tail: share of its exposure that the least popular have.
        """
        if not self.members.names:
            return
        self._lists *= _KEPT
        self._sums *= _KEPT
        self._all = self._all * _KEPT + 1.0
        places = self.members.places(segments)
        self.members.meet(user, places)
        for place in places:
            self._lists[place] += 1.0
            for figure, value in enumerate((divergence, tail)):
                if value is not None:
                    self._sums[place, figure] += (value, 1.0)

    def report(self) -> dict[str, dict[str, float | None]]:
        """JSON-ready, by group: the share of all `lists` that were theirs, the means `divergence`
        and `tail`; None where there is none, or too few users. Empty where no segment is named.
        """
        if not self.members.names:
            return {}
        found: dict[str, dict[str, float | None]] = {}
        for place, told in enumerate(self.members.told()):
            share = float(self._lists[place]) / self._all if told and self._all else None
            row: dict[str, float | None] = {"lists": share}
            for figure, (total, weight) in zip(FIGURES, self._sums[place].tolist(), strict=True):
                row[figure] = total / weight if told and weight else None
            found[self.members.groups[place]] = row
        return found

    def gaps(self) -> dict[str, float | None]:
        """JSON-ready: of `divergence` and `tail`, how far the groups that are told are apart at
        most: that of `tail` is the difference in demographic parity.
        """
        told = self.report().values()
        return {by: gap([one[by] for one in told]) for by in FIGURES if told}
