"""Labels of items filled from those of their nearest texts, and how wrong that is. Plain arrays in
the order of announcement: what an item is given depends only on items that came before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from upwell.values import Vector

__all__ = [
    "GRID",
    "NEAREST",
    "POWER",
    "Told",
    "calibration",
    "filled",
    "hidden",
    "scores",
    "thresholds",
    "told",
    "votes",
]

NEAREST, POWER = 20, 4.0
"""So many vote, each by its cosine to this power."""
GRID = np.arange(0.05, 0.951, 0.05)
"""Thresholds of confidence that are tried."""
_ROWS = 256

Labels = NDArray[np.bool_]
Shares = NDArray[np.float32]


class Told(NamedTuple):
    """Of what was said of all items and labels together."""

    precision: float
    recall: float
    f1: float


def hidden(held: Labels, share: float, seed: int) -> NDArray[np.bool_]:
    """(n,) which items lose their labels: of those that have any, a share drawn by seed.

    held: (n, L) which item has which label.
    """
    labelled = np.flatnonzero(held.any(axis=1))
    drawn = np.random.default_rng(seed).choice(labelled, round(share * len(labelled)), False)
    gone = np.zeros(len(held), np.bool_)
    gone[drawn] = True
    return gone


def votes(
    vectors: Vector, held: NDArray[Any], known: NDArray[np.bool_], *, later: bool = False
) -> Shares:
    """(n, L) confidence in each label of each item: the share of the votes of its nearest known
    items that have it; zero where nothing known came before. No item votes on itself.

    vectors: (n, d) unit length, in the order of announcement. held: (n, L) which item has which
    label, or numbers, of which the votes are the mean. known: (n,) who votes. later: whether those
    announced after an item vote too.
    """
    voters, shares = np.flatnonzero(known), np.zeros(held.shape, np.float32)
    theirs, of_voters = vectors[voters], held[voters].astype(np.float32)
    for start in range(0, len(vectors), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(vectors)))
        near = vectors[rows] @ theirs.T
        barred = voters[None] == rows[:, None] if later else voters[None] >= rows[:, None]
        near[barred] = 0.0
        most = min(NEAREST, near.shape[1])
        places = np.argpartition(-near, most - 1, axis=1)[:, :most]
        weights = np.maximum(np.take_along_axis(near, places, 1), 0.0) ** POWER
        total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
        shares[rows] = np.einsum("rk,rkl->rl", weights / total, of_voters[places])
    return shares


def thresholds(shares: Shares, held: Labels, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) for each item the threshold of `GRID` with the best F1 on the known items before it,
    each of which was told without itself; the middle of the grid before the first.
    """
    counted = known[:, None]
    right = np.stack([((shares >= at) & held & counted).sum(axis=1) for at in GRID], axis=1)
    said = np.stack([((shares >= at) & counted).sum(axis=1) for at in GRID], axis=1)
    true = (held & counted).sum(axis=1, keepdims=True)
    so_far = [np.cumsum(one, axis=0) - one for one in (right, said, true)]
    f1 = 2 * so_far[0] / np.maximum(so_far[1] + so_far[2], 1)
    best: NDArray[np.float64] = GRID[np.argmax(f1, axis=1)]
    best[so_far[2][:, 0] == 0] = GRID[len(GRID) // 2]
    return best


def filled(shares: Shares, at: NDArray[np.float64]) -> Labels:
    """(n, L) the labels that items are given: those at or above their threshold."""
    return shares >= at[:, None]


def scores(given: Labels, held: Labels) -> Told:
    """Micro-averaged over items and labels."""
    right, said, true = int((given & held).sum()), int(given.sum()), int(held.sum())
    return Told(right / max(1, said), right / max(1, true), 2 * right / max(1, said + true))


def told(shares: Shares, held: Labels, known: NDArray[np.bool_], at: NDArray[np.float64]) -> Told:
    """What leave-one-out says of the known items."""
    return scores(filled(shares, at)[known], held[known])


def calibration(shares: Shares, held: Labels, bins: int = 10) -> float:
    """Expected calibration error of the labels that got any vote: how far the confidence lies from
    how often it is right, the mean over bins by how many are in them.
    """
    some = shares > 0.0
    confidence, right = shares[some], held[some]
    if not len(confidence):
        return 0.0
    of = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(of, minlength=bins)
    gap = np.abs(np.bincount(of, confidence, bins) - np.bincount(of, right.astype(float), bins))
    return float(gap.sum() / count.sum())
