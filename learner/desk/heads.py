"""Multinomial logistic regression, an example at a time, by AdaGrad (Duchi et al. 2011): one over
vectors, one over n-grams.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Head", "grown_rows", "softmax"]

_LEAST = 1e-6  # of a squared gradient's sum
_STEP = 0.5


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """(T,) to shares that sum to 1."""
    raised = np.exp(np.asarray(scores, np.float64) - np.max(scores))
    return np.asarray(raised / raised.sum(), np.float64)


def grown_rows(array: NDArray[np.float32], rows: int, filled: float = 0.0) -> NDArray[np.float32]:
    """At least so many rows, doubled where there are too few; new ones are `filled`."""
    if rows <= len(array):
        return array
    more = max(rows, 2 * len(array)) - len(array)
    return np.concatenate([array, np.full((more, *array.shape[1:]), filled, array.dtype)])


class Head:
    """weights: (R, D), a row for each class, R at least their number."""

    def __init__(self, dimension: int) -> None:
        self.weights = np.zeros((0, dimension), np.float32)
        self.squares = np.zeros((0, dimension), np.float32)

    def grow(self, classes: int) -> None:
        """Makes room for so many classes."""
        self.weights = grown_rows(self.weights, classes)
        self.squares = grown_rows(self.squares, classes, _LEAST)

    def scores(
        self, classes: int, values: NDArray[np.float32] | float, columns: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        """(classes,) of one example. values: (D,), or one for all of `columns`, the others 0."""
        if columns is None:
            return np.asarray(self.weights[:classes] @ np.asarray(values, np.float32))
        return np.asarray(self.weights[:classes, columns].sum(axis=1) * np.float32(values))

    def learn(
        self,
        scores: NDArray[np.float32],
        right: int,
        values: NDArray[np.float32] | float,
        columns: NDArray[np.int64] | None,
    ) -> None:
        """One step towards the class `right`. scores: as they were just told."""
        off = softmax(scores).astype(np.float32)
        off[right] -= 1.0
        place = (slice(len(scores)), slice(None) if columns is None else columns)
        gradient = off[:, None] * np.asarray(values, np.float32)
        self.squares[place] += gradient**2
        self.weights[place] -= _STEP * gradient / np.sqrt(self.squares[place])
