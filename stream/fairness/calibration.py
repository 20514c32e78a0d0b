"""How far a list's mix of categories is from that of what its user liked (Steck 2018, "Calibrated
recommendations"), by the Jensen-Shannon divergence, which needs no smoothing.

It knows codes of categories, not their names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["category_mix", "divergence"]


def category_mix(codes: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C,) share of each category among n items of so much weight each; each item's is spread
    evenly over its own. Zeros where no item has one. codes: (n, m), -1 where an item has fewer.
    """
    there = codes >= 0
    own = there.sum(axis=1)
    spread = np.repeat(weights / np.maximum(own, 1), own)
    mix = np.bincount(codes[there], spread).astype(np.float64)
    total = float(mix.sum())
    return mix / total if total > 0.0 else mix


def divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Jensen-Shannon, base 2: 0 where the two mixes are the same, 1 where they share nothing. The
    shorter one has zeros beyond its end.
    """
    size = max(len(p), len(q))
    p, q = np.pad(p, (0, size - len(p))), np.pad(q, (0, size - len(q)))
    return 0.5 * _excess(p, 0.5 * (p + q)) + 0.5 * _excess(q, 0.5 * (p + q))


def _excess(p: NDArray[np.float64], m: NDArray[np.float64]) -> float:
    """Kullback-Leibler of p from m, base 2, where m is above 0 wherever p is."""
    there = p > 0.0
    return float((p[there] * np.log2(p[there] / m[there])).sum())
