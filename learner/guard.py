"""The guard: whether a candidate model may take over from the one that serves, by what both scored on the same targets.

Pure values: each observation gives a new guard. It knows nothing about models, or about how they are stored and restored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Guard", "Verdict", "not_finite"]

_CONFIDENCE = 2.0  # standard errors


class Verdict(StrEnum):
    """WAIT: too little is known. PROMOTE: the candidate holds. ROLL_BACK: it is worse, or broken; restore the last good version."""

    WAIT = "wait"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Guard:
    """The decayed paired difference of a candidate's NDCG@10 from the serving version's, on targets that both were tested on.

    margin: share of the serving version's score that a candidate may lack. half_life_targets: weight of a target halves after so many.
    least_targets: before so many only a broken candidate is judged. The other fields are running sums.
    """

    margin: float = 0.02
    half_life_targets: float = 1_000.0
    least_targets: int = 100
    targets: int = 0
    weight: float = 0.0
    squared_weight: float = 0.0
    difference: float = 0.0
    square: float = 0.0
    serving: float = 0.0
    broken: bool = False

    def observe(self, serving: NDArray[np.float64], candidate: NDArray[np.float64]) -> Guard:
        """(n,) and (n,) NDCG@10 of the two on the same n targets, oldest first. A score that is not finite breaks the candidate."""
        if serving.shape != candidate.shape or serving.ndim != 1:
            raise ValueError(f"scores are paired: got shapes {serving.shape} and {candidate.shape}")
        if not len(serving):
            return self
        gap = candidate - serving
        fading = 2.0 ** (-np.arange(len(gap) - 1, -1, -1.0) / self.half_life_targets)
        kept = 2.0 ** (-len(gap) / self.half_life_targets)
        return replace(
            self,
            targets=self.targets + len(gap),
            weight=kept * self.weight + float(fading.sum()),
            squared_weight=kept * kept * self.squared_weight + float((fading * fading).sum()),
            difference=kept * self.difference + float(fading @ gap),
            square=kept * self.square + float(fading @ (gap * gap)),
            serving=kept * self.serving + float(fading @ serving),
            broken=self.broken or not bool(np.isfinite(candidate).all()),
        )

    def afresh(self) -> Guard:
        """The same rule for the next candidate: nothing observed."""
        return Guard(self.margin, self.half_life_targets, self.least_targets)

    @property
    def mean_difference(self) -> float:
        """Candidate less serving; 0 before the first target."""
        return self.difference / self.weight if self.weight else 0.0

    @property
    def standard_error(self) -> float:
        """Of the mean difference; infinite before the second target."""
        if not self.weight or self.weight * self.weight <= self.squared_weight:
            return float("inf")
        mean = self.mean_difference
        effective = self.weight * self.weight / self.squared_weight
        return float(np.sqrt(max(self.square / self.weight - mean * mean, 0.0) / (effective - 1.0)))

    @property
    def verdict(self) -> Verdict:
        """A candidate is worse when its score is below serving's less the margin, beyond two standard errors of doubt."""
        if self.broken:
            return Verdict.ROLL_BACK
        if self.targets < self.least_targets:
            return Verdict.WAIT
        allowed = -self.margin * self.serving / self.weight
        mean, doubt = self.mean_difference, _CONFIDENCE * self.standard_error
        if mean + doubt < allowed:
            return Verdict.ROLL_BACK
        return Verdict.PROMOTE if mean >= allowed else Verdict.WAIT


def not_finite(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of the float arrays that hold a nan or an infinity: a model with any is never promoted."""
    return [name for name, array in arrays.items() if np.issubdtype(array.dtype, np.inexact) and not np.isfinite(array).all()]
