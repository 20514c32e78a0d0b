"""Sampled negatives: rows in common for a whole mini-batch, with the probability that each was
drawn. It knows nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NegativeSampler", "Negatives"]

FLATTEN = 0.75  # popularity to this power, after Mikolov et al. 2013


@dataclass(frozen=True, slots=True)
class Negatives:
    """rows: (K,) distinct, ascending. log_inclusion: (K,) float32, log of the probability that a
    row is among them.
    """

    rows: NDArray[np.int64]
    log_inclusion: NDArray[np.float32]


class NegativeSampler:
    """Draws from the announced items uniformly and by flattened popularity; the batch's own targets
    join them.

    announced: (N,) may be drawn. counts: (N,) events on each item. Both are read once, so make a
    new one when they have moved.
    """

    def __init__(self, announced: NDArray[np.bool_], counts: NDArray[np.float32]) -> None:
        self._rows = np.flatnonzero(announced)
        events = counts[self._rows].astype(np.float64)
        self._frequency = events / max(events.sum(), 1.0)
        self._popular = np.power(events, FLATTEN)
        self._popular /= max(self._popular.sum(), 1e-12)
        self._upto = np.cumsum(self._popular)

    def draw(
        self, targets: NDArray[np.int64], uniform: int, popular: int, rng: np.random.Generator
    ) -> Negatives:
        """targets: (T,) rows of the batch, taken as T draws by frequency. uniform, popular: how
        many draws of each kind, with repeats.
        """
        n = len(self._rows)
        if n == 0:
            return Negatives(np.zeros(0, np.int64), np.zeros(0, np.float32))
        popular *= bool(self._popular.any())
        places = rng.integers(n, size=uniform)
        by_popularity = np.searchsorted(
            self._upto, rng.random(popular) * self._upto[-1], side="right"
        ).clip(max=n - 1)
        own = np.searchsorted(self._rows, targets).clip(max=n - 1)
        own = own[self._rows[own] == targets]
        places = np.unique(np.concatenate([places, by_popularity, own]))
        expected = (
            uniform / n + popular * self._popular[places] + len(targets) * self._frequency[places]
        )
        inclusion = -np.expm1(-np.maximum(expected, 1e-9))  # at least one among independent draws
        return Negatives(self._rows[places], np.log(inclusion).astype(np.float32))
