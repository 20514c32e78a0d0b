"""What an item's features change in ratings, with intervals: weighted least squares, errors robust
to each user's own habits.

Weights: inverse propensities, so that the effect is that over all pairs (Robins et al. 2000).
Sandwich: Liang and Zeger 1986, with the small-sample factor of Stata's CR1. It knows nothing about
which features there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Effects", "centred", "weighted_effects"]

_RIDGE = 1e-9  # for columns that say the same


@dataclass(frozen=True, slots=True)
class Effects:
    """estimates: (k,) in stars. covariance: (k, k)."""

    estimates: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def errors(self) -> NDArray[np.float64]:
        """(k,) standard errors."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def intervals(self, z: float = 1.96) -> NDArray[np.float64]:
        """(k, 2) from and to; z: 1.96 covers 95 %."""
        return np.stack(
            [self.estimates - z * self.errors, self.estimates + z * self.errors], axis=1
        )

    def combined(self, contrasts: NDArray[np.float64]) -> Effects:
        """(j, k) weights of the effects → the j sums."""
        return Effects(contrasts @ self.estimates, contrasts @ self.covariance @ contrasts.T)


def weighted_effects(
    design: NDArray[np.float64],
    ratings: NDArray[np.float64],
    weights: NDArray[np.float64],
    users: NDArray[np.int64],
) -> Effects:
    """(n, k) features, (n,) stars, weights above 0 and numbers of users, whose ratings may depend
    on each other.
    """
    weighted = design * weights[:, None]
    bread = np.linalg.inv(design.T @ weighted + _RIDGE * np.eye(design.shape[1]))
    estimates = bread @ (weighted.T @ ratings)
    _, codes = np.unique(users, return_inverse=True)
    groups = int(codes.max()) + 1
    scores = np.zeros((groups, design.shape[1]))
    np.add.at(scores, codes, weighted * (ratings - design @ estimates)[:, None])
    count, width = design.shape
    factor = groups / (groups - 1) * (count - 1) / (count - width)
    return Effects(estimates, factor * bread @ (scores.T @ scores) @ bread)


def centred(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(levels,) shares of a feature's levels → (levels, levels - 1): effects against the first
    level → against the average item.
    """
    levels = len(shares)
    against_first = np.vstack([np.zeros(levels - 1), np.eye(levels - 1)])
    return np.asarray(against_first - (shares / shares.sum()) @ against_first)
