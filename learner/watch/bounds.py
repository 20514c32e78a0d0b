"""Bounds that hold with a stated chance, whatever the number of posts: of a share, and of the mean
of moods.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mean_upper", "share_lower", "share_upper"]

_HALVINGS = 40
_GRID = np.linspace(-1.0, 1.0, 81)
_MOST_BET = 0.75


def share_upper(
    hits: NDArray[np.float64], posts: NDArray[np.float64], risk: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """A share that the true one is above with chance `risk` at most: Chernoff's bound for so many
    hits of so many posts, each (T,). 1 where there are no posts.
    """
    share = hits / np.maximum(posts, 1.0)
    asked = np.log(1.0 / np.asarray(risk, np.float64)) / np.maximum(posts, 1.0)
    low, high = share.copy(), np.ones_like(share)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        beyond = _divergence(share, middle) > asked
        high = np.where(beyond, middle, high)
        low = np.where(beyond, low, middle)
    return np.asarray(np.where(posts > 0, high, 1.0), np.float64)


def share_lower(hits: float, posts: float, risk: float) -> float:
    """Likewise: one that it is below with chance `risk` at most."""
    misses, all_of_them = np.array([posts - hits], np.float64), np.array([posts], np.float64)
    return 1.0 - float(share_upper(misses, all_of_them, risk)[0])


def mean_upper(moods: NDArray[np.float64], risk: float) -> float:
    """One that the mean of what these are drawn from is above with chance `risk` at most; each in
    [-1, 1], (n,). By betting against each mean of a grid (Waudby-Smith and Ramdas 2024); 1 where
    too few are known.
    """
    if len(moods) < 2:
        return 1.0
    before = np.arange(1, len(moods) + 1)
    means = np.concatenate([[0.0], np.cumsum(moods)[:-1]]) / before
    spread = np.concatenate([[0.25], 0.25 + np.cumsum((moods - means) ** 2)[:-1]]) / before
    bets = np.sqrt(2.0 * np.log(1.0 / risk) / (len(moods) * spread))
    rejected = [_capital(moods, bets, mean) >= 1.0 / risk for mean in _GRID]
    kept = [place for place, one in enumerate(rejected) if not one]
    return float(_GRID[min(max(kept) + 1, len(_GRID) - 1)]) if kept else -1.0


def _capital(moods: NDArray[np.float64], bets: NDArray[np.float64], mean: float) -> float:
    """What one has who bet that the mean is below this one; at most 1 in expectation if not."""
    bounded = np.minimum(bets, _MOST_BET / max(1.0 - mean, 1e-9))
    steps = np.log1p(bounded * (mean - moods))
    return float(np.exp(min(float(np.max(np.cumsum(steps))), 700.0)))


def _divergence(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback and Leibler's, of two coins."""
    other = np.clip(other, 1e-12, 1.0 - 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        heads = np.where(one > 0, one * np.log(one / other), 0.0)
        tails = np.where(one < 1, (1.0 - one) * np.log((1.0 - one) / (1.0 - other)), 0.0)
    return np.asarray(heads + tails, np.float64)
