"""How much an event may add to the counts: as much as the user's past bears, where a short past is
no more than a share of the usual one.

An attack makes its profiles as short as it can, for a fresh one costs nothing. Weighed like this,
so many fake events add the same however many users they are spread over. It knows nothing about
items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Influence"]

_MEMORY = 2_000.0  # events


class Influence:
    """Follows the usual past of those who act: the geometric mean of 1 + earlier events over the
    last `_MEMORY` events or so.
    """

    def __init__(self) -> None:
        self._log_usual = 0.0
        self._seen = 0

    def weigh(self, pasts: Sequence[int]) -> NDArray[np.float32]:
        """(n,) in (0, 1] for events of users with so many earlier ones, each before the next is
        seen: (1 + past) / usual, at most 1.
        """
        weights = np.empty(len(pasts), np.float32)
        for place, past in enumerate(pasts):
            own = math.log1p(past)
            weights[place] = math.exp(min(0.0, own - self._log_usual))
            self._seen += 1
            self._log_usual += max(1.0 / self._seen, 1.0 / _MEMORY) * (own - self._log_usual)
        return weights

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        return {"log_usual": np.array([self._log_usual]), "seen": np.array([self._seen], np.int64)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse."""
        self._log_usual, self._seen = float(arrays["log_usual"][0]), int(arrays["seen"][0])
