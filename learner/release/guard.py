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

__all__ = [
    "WRONG_DROP",
    "WRONG_PROOF",
    "Bet",
    "GroupShare",
    "Guard",
    "Ruling",
    "Verdict",
    "not_finite",
]

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
    not finite. short: groups of which the candidate shows less than their bound and than serving.
    """

    verdict: Verdict
    learned: int
    targets: int
    candidate: float
    serving: float
    broken: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


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
class GroupShare:
    """A group of items that is to have `least` of the exposure: what the candidate's lists give it,
    before any price of the bound. shown: sum of its share in each of `lists`. less: the bet that it
    is less than in the serving version's by more than the margin.
    """

    name: str
    least: float
    lists: int = 0
    shown: float = 0.0
    less: Bet = field(default_factory=Bet)

    def observe(
        self, serving: NDArray[np.float64], candidate: NDArray[np.float64], margin: float
    ) -> GroupShare:
        """(n,) and (n,) the group's share of exposure in lists of the two, from 0 to 1."""
        return replace(
            self,
            lists=self.lists + len(candidate),
            shown=self.shown + float(candidate.sum()),
            less=self.less.on((1.0 - margin) * serving - candidate),
        )

    def short(self, error: float) -> bool:
        """Below the bound, and proven to be below what serves, but for a chance of `error`."""
        return self.shown < self.least * self.lists and self.less.proves(error)

    @property
    def in_doubt(self) -> bool:
        """Below the bound, and likelier below what serves than not; nothing is proven."""
        return self.shown < self.least * self.lists and self.less.proves(1.0)


@dataclass(frozen=True, slots=True)
class Guard:
    """A candidate's NDCG@10 beside the serving version's, on targets that both were tested on.

    margin: share of the serving version's score that a candidate may lack. kept: share that it is
    proven to have kept before it goes out. patience: targets that it may take. suspect: the one
    before it was worse. The other fields are what was observed of this candidate alone, or the
    errors would not hold for each: sums, and the bets that it lacks more than the margin, and that
    it has kept its share. groups: whose exposure is bounded; to break a bound that serving holds
    better is to be worse.
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
    groups: tuple[GroupShare, ...] = ()

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

    def observe_shares(self, serving: NDArray[np.float64], candidate: NDArray[np.float64]) -> Guard:
        """(g, n) and (g, n) the share of exposure that each of `groups` has in their lists."""
        if serving.shape != candidate.shape or len(serving) != len(self.groups):
            raise ValueError(
                f"{len(self.groups)} groups, got shares {serving.shape} and {candidate.shape}"
            )
        seen = zip(self.groups, serving, candidate, strict=True)
        groups = tuple(one.observe(was, now, self.margin) for one, was, now in seen)
        return replace(self, groups=groups)

    @property
    def short(self) -> tuple[str, ...]:
        """Groups whose bound the candidate breaks more than what serves."""
        error = WRONG_DROP / max(1, len(self.groups))
        return tuple(one.name for one in self.groups if one.short(error))

    @property
    def is_worse(self) -> bool:
        """Proven: of the score more than the margin is lacking, or of a bounded group's share."""
        return self.worse.proves(WRONG_DROP) or bool(self.short)

    def afresh(self) -> Guard:
        """For the next candidate: nothing speaks for or against it yet, but that the one before it
        was worse; with more patience where that one's was too little.
        """
        groups = tuple(GroupShare(group.name, group.least) for group in self.groups)
        one = Guard(self.margin, self.kept, self.patience, groups=groups)
        patience = self.patience
        match self.verdict:
            case Verdict.PROMOTE:
                return replace(one, patience=max(LEAST_PATIENCE, patience // 2))
            case Verdict.SUPERSEDE if self.is_worse:
                return replace(one, suspect=True)
            case Verdict.SUPERSEDE:
                return replace(one, patience=min(MOST_PATIENCE, 2 * patience))
        return one

    @property
    def verdict(self) -> Verdict:
        """Promoted as soon as it is proven to have kept its share and is, within a standard error,
        no worse than the margin allows, and no bounded group is in doubt.
        """
        if self.broken:
            return Verdict.ROLL_BACK
        if self.is_worse:
            return Verdict.ROLL_BACK if self.suspect else Verdict.SUPERSEDE
        lead = self.candidate - (1.0 - self.margin) * self.serving
        proven = self.holds.proves(WRONG_PROOF) and lead + math.sqrt(self.square) >= 0.0
        if proven and not any(group.in_doubt for group in self.groups):
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
