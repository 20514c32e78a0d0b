"""Peers of a watch over posts: moods by ridge regression, surges by counts of clusters, both over
frozen vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from upwell.values import Vector

__all__ = ["ClusterCounts", "RefittedRidge"]

REFIT = 50
CLUSTERS, FITTED_ON, ROUNDS = 12, 400, 20
COUNTED = 100
"""Posts of which a cluster's are counted."""
Z = 4.0


@dataclass(slots=True)
class RefittedRidge:
    """Fitted on all labels so far, every fifty; None before."""

    vectors: list[Vector] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    weights: NDArray[np.float64] | None = None

    def told(self, vector: Vector) -> float | None:
        """In [-1, 1]. vector: (D,)."""
        if self.weights is None:
            return None
        return float(np.clip(np.append(vector, 1.0) @ self.weights, -1.0, 1.0))

    def learn(self, vector: Vector, right: float) -> None:
        """A label in [-1, 1]."""
        self.vectors.append(vector)
        self.labels.append(right)
        if len(self.labels) % REFIT == 0:
            known = np.column_stack([np.stack(self.vectors), np.ones(len(self.labels))])
            square = known.T @ known + np.eye(known.shape[1])
            self.weights = np.linalg.solve(square, known.T @ np.array(self.labels))


@dataclass(slots=True)
class ClusterCounts:
    """k-means on the first posts; from then on an alarm where of the last hundred posts more are
    in a cluster than four standard deviations above what was usual before. seed: of the centres
    that it begins with.
    """

    seed: int
    waiting: list[Vector] = field(default_factory=list)
    centres: NDArray[np.float32] | None = None
    usual: NDArray[np.float64] = field(default_factory=lambda: np.ones(CLUSTERS))
    lately: list[int] = field(default_factory=list)
    raised: set[int] = field(default_factory=set)

    def read(self, vector: Vector) -> int | None:
        """The cluster of which an alarm is raised with this post."""
        if self.centres is None:
            self.waiting.append(vector)
            if len(self.waiting) == FITTED_ON:
                self.centres = _k_means(np.stack(self.waiting), self.seed)
                near = np.argmax(np.stack(self.waiting) @ self.centres.T, axis=1)
                self.usual += np.bincount(near, minlength=CLUSTERS)
            return None
        own = int(np.argmax(self.centres @ vector))
        self.lately.append(own)
        if len(self.lately) > COUNTED:
            self.usual[self.lately.pop(0)] += 1
        wanted = COUNTED * self.usual[own] / self.usual.sum()
        count = self.lately.count(own)
        if count <= wanted:
            self.raised.discard(own)
        if len(self.lately) < COUNTED or count <= wanted + Z * np.sqrt(wanted):
            return None
        if own in self.raised:
            return None
        self.raised.add(own)
        return own


def _k_means(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """(CLUSTERS, D), of length 1."""
    rng = np.random.default_rng(seed)
    centres = vectors[rng.choice(len(vectors), CLUSTERS, replace=False)]
    for _ in range(ROUNDS):
        near = np.argmax(vectors @ centres.T, axis=1)
        sums = np.stack([vectors[near == one].sum(axis=0) for one in range(CLUSTERS)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), centres)
    return np.asarray(centres, np.float32)
