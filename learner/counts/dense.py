"""What the intent and the fused model say of items to users who are ranked: scores of all items,
or, where the catalogue is large, what gives the score of any one, and the items nearest to each.

It knows nothing about how either is made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.catalogue.nearest.cells import dot

__all__ = ["FUSED", "INTENT", "Dense", "empty_dense", "is_large", "read_dense"]

INTENT, FUSED = 0, 1


class Dense(NamedTuple):
    """Of b users and 2 signals. scores: (2, b, N), or N = 0 where the catalogue is large; then all
    else holds. near: (2, b, M) rows that the user may be shown, best first, -1 where fewer.
    queries: (2, b, d) for the product with the items' texts (N, d). What the fused model says
    beside its text: own: (b, m + 1) users, identities: (N, m + 1), events: (N,), trust: (2,) events
    from which an identity counts half, and the weight of ln(1 + events).
    """

    scores: NDArray[np.float32]
    near: NDArray[np.int32]
    queries: NDArray[np.float32]
    texts: NDArray[np.float32]
    own: NDArray[np.float32]
    identities: NDArray[np.float32]
    events: NDArray[np.float32]
    trust: NDArray[np.float32]


def empty_dense() -> Dense:
    """Of nobody."""
    table = np.zeros((0, 0), np.float32)
    return Dense(
        np.zeros((1, 1, 0), np.float32),
        np.zeros((1, 1, 0), np.int32),
        np.zeros((1, 1, 0), np.float32),
        table,
        table,
        table,
        np.zeros(0, np.float32),
        np.zeros(2, np.float32),
    )


@kernel
def is_large(dense: Dense) -> bool:
    """Whether scores are made one by one."""
    return bool(dense.scores.shape[2] == 0)


@kernel
def _value(dense: Dense, which: int, user: int, item: int) -> float:
    """What a signal says of an item of a large catalogue."""
    value = dot(dense.queries[which, user], dense.texts[item])
    if which == FUSED:
        count = dense.events[item]
        value += dense.trust[1] * np.float32(np.log1p(count))
        if count > 0.0:
            share = count / (count + dense.trust[0])
            value += share * dot(dense.own[user], dense.identities[item])
    return float(value)


@kernel
def read_dense(
    dense: Dense, which: int, user: int, found: NDArray[np.int32], out: NDArray[np.float32]
) -> None:
    """out: (n,) what a signal says of the items `found`."""
    if is_large(dense):
        for position in range(len(found)):
            out[position] = _value(dense, which, user, found[position])
        return
    scores = dense.scores[which, user]
    for position in range(len(found)):
        out[position] = scores[found[position]]
