"""Groups of items by what was counted of them and when they were announced: for telling figures
apart and for bounds on exposure. It knows nothing about lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD", "NEWNESS", "POPULARITY", "newness_bands", "popularity_bands"]

POPULARITY = ("head", "mid", "tail")
"""The most popular items, which together had a fifth of all interactions; the least popular, which
together had a fifth, and those that had none; the others (Abdollahpouri et al. 2019, "Managing
popularity bias in recommender systems with personalized re-ranking").
"""
HEAD = 0.2
NEWNESS = ("new", "recent", "old")
"""The tenth of the catalogue that was announced last; the rest of its newer half; its older half.
"""
_NEW, _RECENT = 0.1, 0.5


def popularity_bands(counts: NDArray[np.float64], listed: NDArray[np.bool_]) -> NDArray[np.int8]:
    """(n,) places in `POPULARITY` of items with so many interactions, -1 of what is not `listed`.
    Of equals the earlier row counts as the more popular.
    """
    rows = np.flatnonzero(listed)
    rows = rows[np.argsort(-counts[rows], kind="stable")]
    ordered = counts[rows]
    total = float(ordered.sum())
    bands = np.full(len(counts), -1, np.int8)
    before = np.cumsum(ordered) - ordered  # interactions with what is more popular
    bands[rows] = np.where(before < HEAD * total, 0, np.where(before < (1.0 - HEAD) * total, 1, 2))
    bands[rows[ordered <= 0.0]] = 2
    return bands


def newness_bands(position: NDArray[Any], listed: NDArray[np.bool_]) -> NDArray[np.int8]:
    """(n,) places in `NEWNESS`, -1 of what is not `listed`. position: in the order of announcement,
    the newest is the highest.
    """
    rows = np.flatnonzero(listed)
    rows = rows[np.argsort(-position[rows], kind="stable")]
    bands = np.full(len(position), -1, np.int8)
    place = np.arange(len(rows))
    share = place / max(1, len(rows))
    bands[rows] = np.where(share < _NEW, 0, np.where(share < _RECENT, 1, 2))
    return bands
