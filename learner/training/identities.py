"""The items' identity embeddings as they are trained: float32, each row with its own learning rate.

It knows nothing about losses, or about how they are served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, thinly_grown

__all__ = ["Identities"]

RATE = 0.03


class Identities:
    """values: (capacity, m + 1). squares: (capacity,) row-wise Adagrad's: one sum of mean squares a
    row (Gupta et al. 2014); 0 where a row was never trained.
    """

    def __init__(self, width: int) -> None:
        self.values = np.zeros((0, width), np.float32)
        self.squares = np.zeros(0, np.float32)

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        self.values = thinly_grown(self.values, capacity)
        self.squares = grown(self.squares, capacity)

    def step(self, rows: NDArray[np.int64], gradients: NDArray[np.float32]) -> None:
        """(n,) distinct rows, (n, m + 1). Rows without gradient stay as they are."""
        squares = np.square(gradients).mean(axis=1)
        moved = squares > 0
        rows, squares, gradients = rows[moved], squares[moved], gradients[moved]
        self.squares[rows] += squares
        self.values[rows] -= RATE * gradients / np.sqrt(self.squares[rows])[:, None]

    def forget(self, rows: NDArray[np.int64]) -> None:
        """They were never trained."""
        rows = rows[rows < len(self.values)]
        self.values[rows] = 0
        self.squares[rows] = 0

    def begin_anew(self, values: NDArray[np.float16]) -> None:
        """(N, m + 1) other values; learning rates stay as far as they had come down, where they are
        finite.
        """
        self.grow(len(values))
        self.values[...] = 0
        self.values[: len(values)] = values
        self.squares[~np.isfinite(self.squares)] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Rows that were trained."""
        rows = np.flatnonzero(self.squares > 0).astype(np.int32)
        return {
            "rows": rows,
            "identities": self.values[rows].copy(),
            "squares": self.squares[rows].copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes what `arrays()` gave."""
        rows = arrays["rows"]
        self.grow(int(rows.max(initial=-1)) + 1)
        self.values[...], self.squares[...] = 0, 0
        self.values[rows], self.squares[rows] = arrays["identities"], arrays["squares"]
