"""The rating head: what a user would give an item, f(u, i) = mean + user's and item's offsets +
what states and vectors add.

Offsets are running means, shrunk where there is little; the rest is learned by squared error. It
knows nothing about ranking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learner.catalogue.kernel import grown, room

__all__ = ["RatingHead", "RunningMeans", "user_offsets"]

SHRINK = 5.0
"""Offsets are sums over (ratings + SHRINK)."""
_PRIOR = 3.5


class RunningMeans:
    """The mean of all ratings so far, and each item's offset from it."""

    def __init__(self) -> None:
        self._total = np.zeros(2)  # sum of stars, how many
        self._sums = np.zeros(0)
        self._counts = np.zeros(0)

    def learn(self, rows: NDArray[np.int32], ratings: NDArray[np.float32]) -> None:
        """Counts (n,) stars on (n,) items; nan is none."""
        given = ~np.isnan(ratings)
        rows, stars = rows[given], ratings[given].astype(np.float64)
        capacity = room(int(rows.max(initial=-1)) + 1, len(self._sums))
        self._sums, self._counts = grown(self._sums, capacity), grown(self._counts, capacity)
        np.add.at(self._sums, rows, stars)
        np.add.at(self._counts, rows, 1.0)
        self._total += (stars.sum(), len(stars))

    def forget(self, rows: NDArray[np.int64]) -> None:
        """These items have no offset; the mean stays."""
        rows = rows[rows < len(self._sums)]
        self._sums[rows] = 0.0
        self._counts[rows] = 0.0

    @property
    def mean(self) -> float:
        """Of all ratings; 3.5 before the first."""
        return float(self._total[0] / self._total[1]) if self._total[1] else _PRIOR

    def offsets(
        self, rows: NDArray[np.int64], without: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Each item's shrunk distance from the mean.

        without: stars already counted that are left out again, nan for none.
        """
        inside = rows.clip(0, max(0, len(self._sums) - 1))
        known = (rows >= 0) & (rows < len(self._sums))
        count = (
            np.where(known, self._counts[inside], 0.0) if len(self._sums) else np.zeros(rows.shape)
        )
        total = (
            np.where(known, self._sums[inside], 0.0) if len(self._sums) else np.zeros(rows.shape)
        )
        if without is not None:
            own = ~np.isnan(without) & (count > 0)
            total, count = total - np.where(own, without, 0.0), count - own
        return ((total - self.mean * count) / (count + SHRINK)).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything counted."""
        return {
            "total": self._total.copy(),
            "sums": self._sums.copy(),
            "counts": self._counts.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes what `arrays()` gave."""
        self._total, self._sums, self._counts = (
            np.array(arrays[name]) for name in ("total", "sums", "counts")
        )


def user_offsets(
    ratings: NDArray[np.float32], expected: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(b, L) stars (nan for none) and what mean and items let expect → (b, L + 1): the user's
    shrunk offset before each, and after all.
    """
    given = ~np.isnan(ratings)
    surprise = np.where(given, ratings - expected, 0.0)
    sums = np.pad(np.cumsum(surprise, axis=1), ((0, 0), (1, 0)))
    counts = np.pad(np.cumsum(given, axis=1), ((0, 0), (1, 0)))
    return (sums / (counts + SHRINK)).astype(np.float32)


class RatingHead(nn.Module):
    """width: of user states and item vectors. At first it predicts the sum of mean and offsets."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.offsets = nn.Parameter(torch.ones(2))
        self.user = nn.Parameter(torch.zeros(width))
        self.item = nn.Parameter(torch.zeros(width))
        self.match = nn.Parameter(torch.zeros(width))

    def forward(self, users: Tensor, items: Tensor, mean: float, offsets: Tensor) -> Tensor:
        """(n, m), (n, m), stars, (n, 2) offsets of user and item → (n,) stars, not clipped."""
        learned = users @ self.user + items @ self.item + (users * items) @ self.match
        return mean + offsets @ self.offsets + learned

    def every(
        self, users: Tensor, items: Tensor, mean: float, of_users: Tensor, of_items: Tensor
    ) -> Tensor:
        """(U, m), (I, m), stars, (U,) and (I,) offsets → (U, I): what `forward` gives for each
        pair.
        """
        by_user, by_item = (
            users @ self.user + self.offsets[0] * of_users,
            items @ self.item + self.offsets[1] * of_items,
        )
        return mean + by_user[:, None] + by_item + (users * self.match) @ items.T
