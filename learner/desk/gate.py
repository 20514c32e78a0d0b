"""How much each feature of a question and a template says, learned from what was right: softmax
regression over the templates with weights that all of them share.

What it is trained on are the features as they stood before a question was learned from, so its
shares mean what they say about new questions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.desk.heads import softmax

__all__ = ["FEATURES", "FIRST", "Gate"]

FEATURES = ("nearest", "near", "centre", "own", "vector", "ngrams", "often")
"""Cosine to the nearest known question; log of a kernel's sum over all of them; cosine to their
mean, and to the template's own words; the scores of both heads; log of how often it was right.
"""
FIRST = (4.0, 1.0, 4.0, 6.0, 1.0, 1.0, 0.0)
_STEP = 0.3
_LEAST = 1e-2


class Gate:
    """weights: (F,)."""

    def __init__(self) -> None:
        self.weights = np.array(FIRST)
        self.squares = np.full(len(FEATURES), _LEAST)

    def shares(
        self, features: NDArray[np.float64], allowed: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """How likely each template is the right one, (T,); 0 where it is not allowed. features:
        (T, F).
        """
        scores = np.where(allowed, features @ self.weights, -np.inf)
        return softmax(scores) if allowed.any() else np.zeros(len(allowed))

    def learn(self, features: NDArray[np.float64], shares: NDArray[np.float64], right: int) -> None:
        """One step of AdaGrad. shares: as they were told."""
        off = shares.copy()
        off[right] -= 1.0
        gradient = off @ features
        self.squares += gradient**2
        self.weights -= _STEP * gradient / np.sqrt(self.squares)
