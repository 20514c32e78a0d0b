"""What a user would give an item, from what is known of both by counting: a few residuals, weighed
by running least squares.

The user's residuals (stars less what mean and item let expect) count over three memories, and once
more by how alike their texts are to the item's (neighbourhood: Koren 2008). How much each counts is
learned from the stream, not set. It knows nothing about networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEATURES", "LeastSquares", "TextCentre", "rating_features"]

FEATURES = ("head", "item", "user", "recent", "latest", "alike", "one")
"""The head's own prediction less the mean, the item's offset, the user's over a window, 20 and 5
ratings, that of like items, 1.
"""
_MEMORIES = (
    (1.0, 5.0),
    (0.95, 3.0),
    (0.8, 1.0),
)  # weight kept from rating to rating, and ratings of prior
_ALIKE_PRIOR = 0.5
_RIDGE = 10.0


def rating_features(
    head: NDArray[np.float32],
    items: NDArray[np.float32],
    residuals: NDArray[np.float32],
    likeness: NDArray[np.float32],
) -> NDArray[np.float64]:
    """(b,) predictions of the head less the mean, (b,) offsets of the items, (b, L) residuals of
    the users' events, oldest first, nan
    where no rating is, and (b, L) cosines of their texts with the item's → (b, len(FEATURES)).
    """
    given = ~np.isnan(residuals)
    left = np.where(given, residuals, 0.0).astype(np.float64)
    after = given[:, ::-1].cumsum(axis=1)[:, ::-1] - given  # (b, L) ratings since
    memories = [_shrunk(left, given * kept**after, prior) for kept, prior in _MEMORIES]
    alike = _shrunk(
        left - given * memories[0][:, None], given * np.square(likeness.clip(min=0.0)), _ALIKE_PRIOR
    )
    return np.stack([head, items, *memories, alike, np.ones(len(head))], axis=1).astype(np.float64)


def _shrunk(
    values: NDArray[np.float64], weights: NDArray[Any], prior: float
) -> NDArray[np.float64]:
    """(b, L) and (b, L) → (b,) weighted means, drawn to 0 as by `prior` more of it."""
    return np.asarray((values * weights).sum(axis=1) / (weights.sum(axis=1) + prior))


class TextCentre:
    """The mean text vector of the items rated so far: likeness is measured from it, or all texts
    would be alike.
    """

    def __init__(self, dimension: int) -> None:
        self._sum = np.zeros(dimension)
        self._count = 0.0

    def learn(self, vectors: NDArray[np.float32]) -> None:
        """(n, d) of items that were rated."""
        self._sum += vectors.sum(axis=0, dtype=np.float64)
        self._count += len(vectors)

    def likeness(
        self, items: NDArray[np.float32], others: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(b, d) and (b, L, d) text vectors → (b, L) cosines; 0 where an item has no text."""
        centre = (self._sum / max(1.0, self._count)).astype(np.float32)
        ours, theirs = (
            (items - centre) * items.any(axis=1, keepdims=True),
            (others - centre) * others.any(axis=2, keepdims=True),
        )
        lengths = np.linalg.norm(ours, axis=1)[:, None] * np.linalg.norm(theirs, axis=2)
        return np.asarray((theirs @ ours[:, :, None])[:, :, 0] / lengths.clip(min=1e-6), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything counted."""
        return {"sum": self._sum.copy(), "count": np.array([self._count])}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes what `arrays()` gave."""
        self._sum, self._count = np.array(arrays["sum"]), float(arrays["count"][0])


class LeastSquares:
    """Ridge regression over all that was learned, in memory that does not grow.

    prior: (k,) the weights it starts from.
    """

    def __init__(self, prior: NDArray[np.float64]) -> None:
        self._products = _RIDGE * np.eye(len(prior))
        self._sums = _RIDGE * prior

    def learn(self, features: NDArray[np.float64], targets: NDArray[np.float64]) -> None:
        """(n, k) and (n,)."""
        self._products += features.T @ features
        self._sums += features.T @ targets

    @property
    def weights(self) -> NDArray[np.float64]:
        """(k,)."""
        return np.asarray(np.linalg.solve(self._products, self._sums))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned."""
        return {"products": self._products.copy(), "sums": self._sums.copy()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes what `arrays()` gave."""
        self._products, self._sums = np.array(arrays["products"]), np.array(arrays["sums"])
