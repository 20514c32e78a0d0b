"""Sampled negatives: rows in common for a whole mini-batch, with the probability that each was drawn. It knows nothing about models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NegativeSampler", "Negatives"]

_FLATTEN = 0.75  # popularity to this power, after Mikolov et al. 2013


@dataclass(frozen=True, slots=True)
class Negatives:
    """rows: (K,) distinct, sorted. log_inclusion: (K,) float32 log of the probability that a row is among them."""

    rows: NDArray[np.int64]
    log_inclusion: NDArray[np.float32]


class NegativeSampler:
    """Draws from the announced items uniformly and by flattened popularity; items of the batch itself join as they are.

    announced: (N,) may be drawn. counts: (N,) events on each item. Both are read once.
    """

    def __init__(self, announced: NDArray[np.bool_], counts: NDArray[np.float32]) -> None:
        self._rows = np.flatnonzero(announced)
        flattened = np.power(counts[self._rows].astype(np.float64), _FLATTEN)
        self._sum = np.cumsum(flattened)
        total = self._sum[-1] if len(flattened) else 0.0
        self._popular = flattened / total if total > 0 else np.zeros_like(flattened)
        raw = counts[self._rows].astype(np.float64)
        self._frequency = raw / raw.sum() if total > 0 else np.zeros_like(raw)

    def draw(self, targets: NDArray[np.int64], uniform: int, popular: int, rng: np.random.Generator) -> Negatives:
        """targets: (T,) rows of the batch, which are negatives for each other. uniform, popular: how many draws of each kind."""
        n = len(self._rows)
        if n == 0:
            return Negatives(np.zeros(0, np.int64), np.zeros(0, np.float32))
        drawn = [self._rows[rng.integers(n, size=uniform)]]
        if self._popular.any():
            at = np.searchsorted(self._sum, rng.random(popular) * self._sum[-1], side="right").clip(max=n - 1)
            drawn.append(self._rows[at])
        rows, first = np.unique(np.concatenate([*drawn, targets]), return_index=True)
        place = np.searchsorted(self._rows, rows).clip(max=n - 1)
        known = self._rows[place] == rows
        expected = uniform / n + popular * self._popular[place] + len(targets) * self._frequency[place]
        del first
        inclusion = -np.expm1(-expected)  # of at least one among independent draws
        return Negatives(rows[known], np.log(inclusion[known]).astype(np.float32))
