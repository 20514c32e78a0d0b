"""How good texts alone are: each target ranked over the whole catalogue by nearness to the mean of
the last items that its user liked. It knows vectors, not where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.replay.adaptation.stretches import Target
from upwell.values import Vector

__all__ = ["mean_reciprocal_rank", "ndcg10", "ranks"]

_TOGETHER = 256


def ranks(vectors: Vector, targets: Sequence[Target]) -> NDArray[np.float64]:
    """(n,) of each target, from 1, among the items that its user had not had; ties count half, so
    that a user without likes, to whom all items are equally near, tells nothing.

    vectors: (items, d).
    """
    found = np.empty(len(targets))
    for start in range(0, len(targets), _TOGETHER):
        some = targets[start : start + _TOGETHER]
        profiles = np.stack([_profile(vectors, target) for target in some])  # (n, d)
        scores = profiles @ vectors.T  # (n, items)
        for place, target in enumerate(some):
            found[start + place] = _rank(scores[place], target)
    return found


def ndcg10(found: NDArray[np.float64], targets: Sequence[Target]) -> dict[str, float]:
    """Of each slice that a target names."""
    gains = np.where(found <= 10, 1.0 / np.log2(1.0 + found), 0.0)
    of_slices: dict[str, list[float]] = {}
    for gain, target in zip(gains, targets, strict=True):
        for name in target.slices:
            of_slices.setdefault(name, []).append(float(gain))
    return {name: float(np.mean(gains)) for name, gains in of_slices.items()}


def mean_reciprocal_rank(found: NDArray[np.float64]) -> float:
    """Of all targets."""
    return float(np.mean(1.0 / found))


def _profile(vectors: Vector, target: Target) -> Vector:
    if not target.likes:
        return np.zeros(vectors.shape[1], np.float32)
    mean: Vector = vectors[list(target.likes)].mean(axis=0)
    return mean


def _rank(scores: Vector, target: Target) -> float:
    own = scores[target.row]
    scores[list(target.had)] = -np.inf
    return 1.0 + float((scores > own).sum()) + (float((scores == own).sum()) - 1.0) / 2.0
