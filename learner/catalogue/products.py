"""Scores of every item for some users: a matrix product, made the way that is cheapest for so many.

It knows nothing about what the numbers say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["products"]

FEW = 12
"""Users below which the product is made for each alone: BLAS copies the whole matrix before it
multiplies by more than one vector.
"""


def products(
    users: NDArray[np.float32],
    items: NDArray[np.float32],
    places: NDArray[np.int64],
    into: NDArray[np.float32],
) -> None:
    """Writes to into[places, :N] of (B, capacity) what users[places] of (b, m) and items (N, m)
    have in common.
    """
    if len(places) < FEW:
        for place in places:
            np.dot(items, users[place], out=into[place, : len(items)])
    else:
        into[places, : len(items)] = users[places] @ items.T
