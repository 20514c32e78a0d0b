"""What of running sums came of late, by what was told of them, epoch by epoch. It is made of what
was told and of nothing else, so it costs no privacy. It knows nothing about what the sums are of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.private.continual import roots

__all__ = ["Lately", "deviation"]


class Lately:
    """half_life: in examples.

    What a row was told at the last epoch is NaN where that is not known, as after a checkpoint of
    before there was this, or where sums are told anew under other noise: there nothing came.
    """

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._before = np.zeros(0)
        self._recent = np.zeros(0)
        self._generation = 0

    def tell(
        self,
        told: NDArray[np.float64],
        unmoved: NDArray[np.float64],
        lengths: Sequence[int],
        generation: int,
    ) -> NDArray[np.float64]:
        """(rows,) of late, each faded since.

        told: (rows,) after this epoch. unmoved: (rows,) what would have been told after the last
        one of rows that nobody had moved: rows that are new since. lengths: in examples, of all
        epochs so far.
        """
        if generation != self._generation:
            self._before[:] = np.nan
            self._generation = generation
        known = min(len(self._before), len(told))
        before, recent = unmoved.copy(), np.zeros(len(told))
        before[:known], recent[:known] = self._before[:known], self._recent[:known]
        came = np.where(np.isnan(before), 0.0, told - before)
        self._recent = recent * 0.5 ** (lengths[-1] / self._half_life) + came
        self._before = told.copy()
        return self._recent.copy()

    def deviation(self, lengths: Sequence[int]) -> float:
        """Of the noise in what is told, where that of sums has 1 in the first epoch."""
        return deviation(lengths, self._half_life)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        return {
            "before": self._before.copy(),
            "recent": self._recent.copy(),
            "generation": np.array(self._generation),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse."""
        self._before, self._recent = np.array(arrays["before"]), np.array(arrays["recent"])
        self._generation = int(arrays["generation"])

    def unknown(self, rows: int) -> None:
        """Of so many rows it is not known what they were told."""
        self._before, self._recent = np.full(rows, np.nan), np.zeros(rows)


def deviation(lengths: Sequence[int], half_life: float) -> float:
    """Of the faded sum of what came in each epoch, where the noise of running sums is `roots` of
    standard normals.
    """
    weights = np.zeros(len(lengths))  # of each epoch's normal
    for epoch, length in enumerate(lengths):
        weights *= 0.5 ** (length / half_life)
        weights[: epoch + 1] += roots(epoch + 1)[::-1]
        weights[:epoch] -= roots(epoch)[::-1]
    return float(np.linalg.norm(weights))
