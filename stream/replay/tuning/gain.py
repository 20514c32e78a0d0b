"""What one run has over another on the same targets, with its 95 % interval.

Differences are taken micro-batch by micro-batch (their targets are the same), and the interval is
that of a ratio of sums over them. Batches that follow each other are alike, so it is rather too
narrow than too wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gain", "gain"]

NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Gain:
    """NDCG@10 before and after; the gain, from `low` to `high`; infinite where it cannot be
    told.
    """

    targets: int
    before: float
    after: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """Of `after` over `before`."""
        return self.after - self.before

    @property
    def sure(self) -> bool:
        """Whether it is above what chance gives."""
        return self.low > 0.0


def gain(before: NDArray[np.float64], after: NDArray[np.float64]) -> Gain:
    """before, after: (b, 2) targets and their summed gains, of each micro-batch."""
    assert (before[:, 0] == after[:, 0]).all(), "the same targets were tested"
    some = before[:, 0] > 0
    counts, old, new = before[some, 0], before[some, 1], after[some, 1]
    total, batches = counts.sum(), len(counts)
    means = [float(one.sum() / total) if batches else math.nan for one in (old, new)]
    if batches < 2:
        return Gain(int(total), means[0], means[1], -math.inf, math.inf)
    apart = new - old
    mean_apart = apart.sum() / total
    spread = ((apart - mean_apart * counts) ** 2).sum() * batches / (batches - 1)
    half = NORMAL_95 * math.sqrt(spread) / total
    low, high = float(mean_apart - half), float(mean_apart + half)
    return Gain(int(total), means[0], means[1], low, high)
