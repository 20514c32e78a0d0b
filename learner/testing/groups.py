"""What lists are worth to groups: running NDCG@10 and HR@10 by users' activity, and by how popular
and how new the target is.

It counts ranks that it is handed, as `learner.testing.figures` does; it knows nothing about how
they came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.bands import NEWNESS, POPULARITY, newness_bands, popularity_bands
from learner.counts.counts import CountState
from learner.counts.popularity import COUNT
from learner.testing.figures import CUTOFF, RUNNING_HALF_LIFE

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
    """Of each group with a half-life of 1,000 of its own targets, as `Figures` has it by slice."""

    def __init__(self) -> None:
        self._sums = {by: np.zeros((len(names), 3)) for by, names in GROUPS.items()}

    def record(self, ranks: NDArray[np.float64], groups: Mapping[str, NDArray[np.int8]]) -> None:
        """ranks: (n,) of n targets, from 1. groups: by each of `GROUPS`, (n,) places in its names,
        -1 where a target belongs to none.
        """
        hits = ranks <= CUTOFF
        gains = np.where(hits, 1.0 / np.log2(1.0 + ranks), 0.0)
        values = np.stack([gains, hits, np.ones_like(gains)], axis=1)  # (n, 3)
        keep = 2.0 ** (-1.0 / RUNNING_HALF_LIFE)
        for by, sums in self._sums.items():
            for group in range(len(sums)):
                own = values[groups[by] == group]
                fades = keep ** np.arange(len(own) - 1, -1, -1)
                sums[group] = sums[group] * keep ** len(own) + fades @ own

    def report(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """JSON-ready: by what, by group `ndcg10` and `hr10`; None where it had no target."""
        return {
            by: {
                name: {
                    "ndcg10": float(gain / weight) if weight else None,
                    "hr10": float(hit / weight) if weight else None,
                }
                for name, (gain, hit, weight) in zip(GROUPS[by], sums, strict=True)
            }
            for by, sums in self._sums.items()
        }

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The sums, for a checkpoint."""
        return {by: sums.copy() for by, sums in self._sums.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave; what an older version did not keep begins anew."""
        for by, sums in self._sums.items():
            if by in arrays:
                sums[...] = arrays[by]
            else:
                sums[...] = 0.0
