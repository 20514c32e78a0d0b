"""Items like an item: what the same people liked, and what reads alike.

Both are cosines, of the sets of people and of the text vectors; what nobody liked yet stands on its
text alone, and the more people liked both, the more they say. It knows nothing about users.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.counts.counts import CountState
from learner.counts.neighbours import Neighbours

__all__ = ["similar_rows"]


def similar_rows(
    state: CountState, row: int, allowed: NDArray[np.bool_], k: int
) -> list[tuple[int, float, float]]:
    """At most k rows with the two shares of their likeness, people's and text's, most alike first;
    of equals the smaller row. allowed: (N,) may stand there.
    """
    liked: dict[int, float] = {}
    for other, together in _held(state.pairs, row):
        liked[other] = together / float(np.sqrt(state.liked[row] * state.liked[other] + 1e-9))
    size = int(state.text.sizes[row])
    ids, likeness = state.text.ids[row, :size], state.text.similarities[row, :size]
    text = dict(zip(ids.tolist(), likeness.tolist(), strict=True))
    found = [
        (other, liked.get(other, 0.0), text.get(other, 0.0))
        for other in liked.keys() | text.keys()
        if allowed[other] and other != row
    ]
    return sorted(found, key=lambda one: (-(one[1] + one[2]), one[0]))[:k]


def _held(table: Neighbours, row: int) -> list[tuple[int, float]]:
    size = int(table.sizes[row])
    values = table.values[row, :size] / table.step[0]
    return list(zip(table.ids[row, :size].tolist(), values.tolist(), strict=True))
