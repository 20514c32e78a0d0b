"""Items like an item: what the same people liked, and what reads alike.

Both are cosines, of the sets of people (as if each item had some who liked nothing else: few people
say little) and of the text vectors, which count a tenth: what nobody liked yet stands on its text
alone. docs/decisions/0032 has the measurement. It knows nothing about users.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.counts.counts import CountState
from learner.counts.neighbours import Neighbours

__all__ = ["PRIOR_PEOPLE", "TEXT_WEIGHT", "similar_rows"]

PRIOR_PEOPLE = 5.0
TEXT_WEIGHT = 0.1


def similar_rows(
    state: CountState, row: int, allowed: NDArray[np.bool_], k: int
) -> list[tuple[int, float, float]]:
    """At most k rows with the two shares of their likeness, people's and text's, most alike first;
    of equals the smaller row. allowed: (N,) may stand there.
    """
    liked: dict[int, float] = {}
    for other, together in _held(state.pairs, row):
        people = (state.liked[row] + PRIOR_PEOPLE) * (state.liked[other] + PRIOR_PEOPLE)
        liked[other] = together / float(np.sqrt(people))
    size = int(state.text.sizes[row])
    ids, likeness = state.text.ids[row, :size], TEXT_WEIGHT * state.text.similarities[row, :size]
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
