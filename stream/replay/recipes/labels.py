"""Peers that give a text one of a few labels, over frozen vectors, an example at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from upwell.values import Vector

__all__ = ["Nearest", "Regression"]

SHOWN = 3
NEIGHBOURS = 50


@dataclass(slots=True)
class Nearest:
    """The label of the known text that is most alike, of those who know it best first."""

    vectors: list[Vector] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def ask(self, vector: Vector) -> list[str]:
        """The best labels, best first. vector: (D,)."""
        if not self.labels:
            return []
        order = np.argsort(-(np.stack(self.vectors) @ vector), kind="stable")
        return list(dict.fromkeys(self.labels[place] for place in order[:NEIGHBOURS]))[:SHOWN]

    def learn(self, vector: Vector, label: str) -> None:
        """The right one."""
        self.vectors.append(vector)
        self.labels.append(label)


@dataclass(slots=True)
class Regression:
    """Logistic regression by AdaGrad. weights, squares: (D,) by label."""

    weights: dict[str, Vector] = field(default_factory=dict)
    squares: dict[str, Vector] = field(default_factory=dict)

    def ask(self, vector: Vector) -> list[str]:
        """The best labels, best first. vector: (D,)."""
        return sorted(self.weights, key=lambda one: -float(self.weights[one] @ vector))[:SHOWN]

    def learn(self, vector: Vector, label: str) -> None:
        """The right one."""
        if label not in self.weights:
            self.weights[label] = np.zeros_like(vector)
            self.squares[label] = np.full_like(vector, 1e-4)
        names = list(self.weights)
        scores = np.array([self.weights[one] @ vector for one in names])
        shares = np.exp(scores - scores.max())
        for name, share in zip(names, shares / shares.sum(), strict=True):
            slope = (float(share) - (name == label)) * vector
            self.squares[name] += slope**2
            self.weights[name] -= 0.5 * slope / np.sqrt(self.squares[name])
