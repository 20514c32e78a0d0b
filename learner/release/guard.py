"""The guard: whether a candidate model may take over from the one that serves, by what both scored
on the same targets.

Pure values: each observation gives a new guard. It knows nothing about models, or about how they
are stored and restored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WRONG_DROP", "WRONG_PROOF", "Bet", "Guard", "Ruling", "Verdict", "not_finite"]

WRONG_DROP = 0.03
"""At most the chance of ever dropping a candidate that lacks no more than `margin`, however often
one looks, and whatever came before it; of two in a row its square.
"""
WRONG_PROOF = 0.05
"""At most the chance of ever holding it for proven that a candidate has kept `kept` where it has
not.
"""
LEAST_PATIENCE = 50
MOST_PATIENCE = 800
"""Targets.

One of which so many prove nothing gives way: it may stem from a bad moment; the next has twice the
time.
"""
_STAKES = np.array([0.1, 0.3, 0.9])


class Verdict(StrEnum):
    """WAIT: too little is known. PROMOTE: the candidate holds. SUPERSEDE: it is worse, or no better
    after all; a newer one takes its place.

    ROLL_BACK: it is broken, or the second in a row that is worse, so training is at fault; restore
    the last good version.
    """

    WAIT = "wait"
    PROMOTE = "promote"
    SUPERSEDE = "superseded"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided about a candidate. learned: examples when it was frozen. targets: that it
    was tested on.

    candidate, serving: their NDCG@10 on these, of lists as they are served. broken: arrays that are
    not finite.
    """

    verdict: Verdict
    learned: int
    targets: int
    candidate: float
    serving: float
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bet:
    """A bet that values of -1 or more have a mean above 0: what 1 has become, a third at each of
    three fixed stakes of what is left.

    While the mean of each value, given those before, is at most 0, no stake gains on average. So
    the chance that the capital is ever 1 / e or more is at most e (Ville's inequality), whenever
    one looks and however the values are spread: a look after each batch costs nothing. Waudby-Smith
    and Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86(1).
    """

    gains: tuple[float, ...] = (0.0,) * len(_STAKES)

    def on(self, values: NDArray[np.float64]) -> Bet:
        """(n,) the next values, each -1 or more."""
        gained = np.log1p(_STAKES[:, None] * values).sum(axis=1)  # (3,)
        return Bet(tuple(float(gain) for gain in self.gains + gained))

    def proves(self, error: float) -> bool:
        """Whether the mean is above 0, but for a chance of `error`."""
        return float(np.logaddexp.reduce(self.gains)) >= math.log(len(_STAKES) / error)


@dataclass(frozen=True, slots=True)
class Guard:
    """A candidate's NDCG@10 beside the serving version's, on targets that both were tested on.

    margin: share of the serving version's score that a candidate may lack. kept: share that it is
    proven to have kept before it goes out. patience: targets that it may take. suspect: the one
    before it was worse. The other fields are what was observed of this candidate alone, or the
    errors would not hold for each: sums, and the bets that it lacks more than the margin, and that
    it has kept its share.
    """

    margin: float = 0.02
    kept: float = 0.5
    patience: int = LEAST_PATIENCE
    suspect: bool = False
    targets: int = 0
    serving: float = 0.0
    candidate: float = 0.0
    square: float = 0.0
    worse: Bet = field(default_factory=Bet)
    holds: Bet = field(default_factory=Bet)
    broken: bool = False

    def observe(self, serving: NDArray[np.float64], candidate: NDArray[np.float64]) -> Guard:
        """(n,) and (n,) NDCG@10 of the two on the same n targets.

        A score of the candidate that is not finite breaks it for good.
        """
        if serving.shape != candidate.shape or serving.ndim != 1:
            raise ValueError(f"scores are paired: got shapes {serving.shape} and {candidate.shape}")
        if not len(serving):
            return self
        seen = replace(
            self,
            targets=self.targets + len(serving),
            serving=self.serving + float(serving.sum()),
            candidate=self.candidate + float(candidate.sum()),
        )
        if self.broken or not np.isfinite(candidate).all():
            return replace(seen, broken=True)
        return replace(
            seen,
            square=self.square + float(((candidate - serving) ** 2).sum()),
            worse=self.worse.on((1.0 - self.margin) * serving - candidate),
            holds=self.holds.on(candidate / self.kept - serving),
        )

    def afresh(self) -> Guard:
        """For the next candidate: nothing speaks for or against it yet, but that the one before it
        was worse; with more patience where that one's was too little.
        """
        one, patience = Guard(self.margin, self.kept, self.patience), self.patience
        match self.verdict:
            case Verdict.PROMOTE:
                return replace(one, patience=max(LEAST_PATIENCE, patience // 2))
            case Verdict.SUPERSEDE if self.worse.proves(WRONG_DROP):
                return replace(one, suspect=True)
            case Verdict.SUPERSEDE:
                return replace(one, patience=min(MOST_PATIENCE, 2 * patience))
        return one

    @property
    def verdict(self) -> Verdict:
        """Promoted as soon as it is proven to have kept its share and is, within a standard error,
        no worse than the margin allows.
        """
        if self.broken:
            return Verdict.ROLL_BACK
        if self.worse.proves(WRONG_DROP):
            return Verdict.ROLL_BACK if self.suspect else Verdict.SUPERSEDE
        lead = self.candidate - (1.0 - self.margin) * self.serving
        if self.holds.proves(WRONG_PROOF) and lead + math.sqrt(self.square) >= 0.0:
            return Verdict.PROMOTE
        if self.targets < self.patience:
            return Verdict.WAIT
        return (
            Verdict.PROMOTE if self.patience >= MOST_PATIENCE and lead >= 0.0 else Verdict.SUPERSEDE
        )


def not_finite(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of the float arrays with a nan or an infinity: a model with any is never promoted."""
    return [
        name
        for name, array in arrays.items()
        if np.issubdtype(array.dtype, np.inexact) and not np.isfinite(array).all()
    ]
