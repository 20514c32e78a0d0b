"""What lists are worth to groups: running NDCG@10 and HR@10 by users' activity, by how popular and
how new the target is, and by segments of users that are named.

It counts ranks that it is handed, as `learner.testing.figures` does; it knows nothing about how
they came about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.bands import NEWNESS, POPULARITY, newness_bands, popularity_bands
from learner.counts.counts import CountState
from learner.counts.popularity import COUNT
from learner.testing.segments import SegmentFigures, faded, quality
from upwell.settings.segments import segment_names
from upwell.values import Example

__all__ = ["ACTIVITY", "GROUPS", "GroupFigures", "TargetGroups", "activity_of"]

ACTIVITY = ("0", "1-2", "3-6", "7-14", "15+")
"""Events of a user before: the bands for each of which the gate has weights of its own."""
REFRESH = 1_000
"""Examples."""
GROWN = 0.01
"""Of the catalogue: where it changed by more, the groups are made anew at once."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "activity": ACTIVITY,
    "popularity": POPULARITY,
    "newness": NEWNESS,
}


def activity_of(events: NDArray[np.int64]) -> NDArray[np.int8]:
    """(n,) places in `ACTIVITY` of users with so many events before."""
    bands = np.floor(np.log2(1.0 + np.maximum(events, 0)))
    return np.minimum(bands, len(ACTIVITY) - 1).astype(np.int8)


class TargetGroups:
    """Which groups targets belong to; those of items as of some hundred examples ago, since they
    are made of the whole catalogue.
    """

    def __init__(self) -> None:
        self._bands: dict[str, NDArray[np.int8]] = {}
        self._due = self._listed = self._capacity = 0

    def of(
        self,
        events: NDArray[np.int64],
        rows: NDArray[np.int32],
        state: CountState,
        listed: NDArray[np.bool_],
        learned: int,
    ) -> dict[str, NDArray[np.int8]]:
        """As `GroupFigures.record` takes them, before the targets are counted. events: (n,) of
        their users; rows: (n,) of the items; listed: (capacity,); learned: examples so far.
        """
        count = int(np.count_nonzero(listed))
        grew = abs(count - self._listed) > GROWN * self._listed
        if learned >= self._due or grew or len(listed) != self._capacity:
            self._due, self._listed, self._capacity = learned + REFRESH, count, len(listed)
            counts = state.popularity.values[COUNT, : self._capacity]
            position = state.features.position[: self._capacity]
            self._bands = {
                "popularity": popularity_bands(counts, listed),
                "newness": newness_bands(position, listed),
            }
        found = {by: bands[rows] for by, bands in self._bands.items()}
        return {"activity": activity_of(events), **found}


class GroupFigures:
    """Of each group with a half-life of 1,000 of its own targets, as `Figures` has it by slice.

    segments: what UPWELL_FAIR_SEGMENTS says, and the figures of these.
    """

    def __init__(self, segments: str | None = None) -> None:
        self.segments = SegmentFigures(segment_names(segments))
        self._sums = {by: np.zeros((len(names), 3)) for by, names in GROUPS.items()}

    def record(
        self,
        ranks: NDArray[np.float64],
        groups: Mapping[str, NDArray[np.int8]],
        examples: Sequence[Example] = (),
    ) -> None:
        """ranks: (n,) of n targets, from 1. groups: by each of `GROUPS`, (n,) places in its names,
        -1 where a target belongs to none. examples: the targets', where
        segments are named.
        """
        self.segments.record(ranks, examples)
        values = quality(ranks)
        for by, sums in self._sums.items():
            for group in range(len(sums)):
                sums[group] = faded(sums[group], values[groups[by] == group])

    def report(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """JSON-ready: by what, by group `ndcg10` and `hr10`; None where it had no target, or,
        by `segment`, too few users.
        """
        own = self.segments.report()
        found: dict[str, dict[str, dict[str, float | None]]] = {
            by: {
                name: {
                    "ndcg10": float(gain / weight) if weight else None,
                    "hr10": float(hit / weight) if weight else None,
                }
                for name, (gain, hit, weight) in zip(GROUPS[by], sums, strict=True)
            }
            for by, sums in self._sums.items()
        }
        return {**found, "segment": own} if own else found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The sums, for a checkpoint."""
        return {**self.segments.arrays(), **{by: sums.copy() for by, sums in self._sums.items()}}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave; what an older version did not keep begins anew."""
        self.segments.restore(arrays)
        for by, sums in self._sums.items():
            if by in arrays:
                sums[...] = arrays[by]
            else:
                sums[...] = 0.0
