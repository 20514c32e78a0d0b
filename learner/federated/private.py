"""Differential privacy of one client's reports: the weights' changes clipped together, and Gaussian
noise on each number, before they leave. Counts and what is learned of single items then stay.

A report is noisy by itself: the server need not be trusted, nor the other clients. It knows nothing
about rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from learner.federated.counted import Passed, empty_counted
from learner.federated.report import Report
from learner.federated.state import BY_ITEM

__all__ = ["Privacy", "epsilon"]

DELTA = 1e-5


@dataclass(frozen=True, slots=True)
class Privacy:
    """clip: the Euclidean norm that a report's changes have at most, above 0. noise: standard
    deviation, in clips, above 0. Raises `ValueError`.
    """

    clip: float
    noise: float

    def __post_init__(self) -> None:
        if not (0.0 < self.clip < math.inf and 0.0 < self.noise < math.inf):
            raise ValueError(f"clip is {self.clip} and noise {self.noise}: both are above 0")

    def applied(self, report: Report, rng: np.random.Generator) -> Report:
        """The report as it may leave."""
        kept = {name: one for name, one in report.weights.items() if name not in BY_ITEM}
        norm = math.sqrt(
            sum(float(np.square(one, dtype=np.float64).sum()) for one in kept.values())
        )
        scale = min(1.0, self.clip / norm) if norm > 0.0 else 1.0
        noisy = {
            name: (one * scale + rng.normal(0.0, self.noise * self.clip, one.shape)).astype(
                np.float32
            )
            for name, one in kept.items()
        }
        size = report.counted.sums.shape[1]
        zeros = {name: np.zeros_like(one) for name, one in report.weights.items()}
        return replace(report, weights=zeros | noisy, counted=empty_counted(size), passed=Passed())


def epsilon(noise: float, rounds: int, delta: float = DELTA) -> float:
    """Of (ε, δ)-differential privacy of so many reports of one client, between any two logs that it
    might have had: they differ by at most two clips, so a round is 2 / noise² zero-concentrated
    (Bun and Steinke 2016).
    """
    rho = 2.0 * rounds / noise**2
    return rho + 2.0 * math.sqrt(rho * math.log(1.0 / delta))
