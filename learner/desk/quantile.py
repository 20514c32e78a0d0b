"""A quantile of the newest so many numbers."""

from __future__ import annotations

from collections import deque

import numpy as np

__all__ = ["Recent"]

_KEPT = 1_000
_ENOUGH = 30


class Recent:
    """first: what a quantile is while few numbers are known."""

    def __init__(self, first: float) -> None:
        self.first = first
        self.numbers: deque[float] = deque(maxlen=_KEPT)

    def add(self, number: float) -> None:
        """One more; the oldest makes room."""
        self.numbers.append(number)

    def quantile(self, share: float) -> float:
        """As of now, of a share in [0, 1]."""
        if len(self.numbers) < _ENOUGH:
            return self.first
        return float(np.quantile(self.numbers, share))
