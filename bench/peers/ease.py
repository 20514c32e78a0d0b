"""EASE (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data"): a linear model of items
by items in closed form, B = I - P / diag(P) with P = (XᵀX + λI)⁻¹, as a peer.

The inverse is of the items that had an event, or, where these are more than the users, of the users
(the dual: P = (I - Xᵀ(XXᵀ + λI)⁻¹X) / λ), which is the same. Where both are above 10,000 it is not
fitted. No library of the group `bench` has it; it needs scipy.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peers.baselines import OrPopular, Peer, Scores
from bench.peers.refitted import Refitted, TooManyItemsError

__all__ = ["EASE", "ease_peers"]

LAMBDAS = (10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0)
LARGEST = 10_000
Matrix = NDArray[np.float64]


class EASE:
    """seen: (U, N) sparse zeros and ones. dual: solve for the users; without, whichever is less."""

    def __init__(self, seen: Any, penalty: float, dual: bool | None = None) -> None:
        self._known = np.unique(seen.indices)
        self._places = {row: place for place, row in enumerate(self._known.tolist())}
        self._items = seen.shape[1]
        x = seen[:, self._known].astype(np.float64)
        if min(x.shape) > LARGEST:
            raise TooManyItemsError(
                f"{x.shape[0]:,} users and {x.shape[1]:,} items, an inverse is of {LARGEST:,} at "
                "most"
            )
        by_users = x.shape[0] < x.shape[1] if dual is None else dual
        self._solved = _Dual(x, penalty) if by_users else _Primal(x, penalty)

    def score(self, rows: Sequence[int]) -> Scores:
        scores = np.zeros(self._items, np.float32)
        had = np.zeros(len(self._known))
        had[[self._places[row] for row in rows if row in self._places]] = 1.0
        scores[self._known] = had - self._solved.times(had) / self._solved.diagonal
        return scores


class _Primal:
    """x: (U, n)."""

    def __init__(self, x: Any, penalty: float) -> None:
        gram = (x.T @ x).toarray()
        self._inverse = np.linalg.inv(gram + penalty * np.eye(len(gram)))  # (n, n)
        self.diagonal = np.diag(self._inverse)

    def times(self, had: Matrix) -> Matrix:
        """(n,) had @ P."""
        return np.asarray(self._inverse[had > 0].sum(axis=0))


class _Dual:
    """The same, by an inverse of (U, U)."""

    def __init__(self, x: Any, penalty: float) -> None:
        kernel = (x @ x.T).toarray()
        self._x, self._penalty = x, penalty
        self._half = np.linalg.inv(kernel + penalty * np.eye(len(kernel))) @ x  # (U, n)
        self.diagonal = (1.0 - np.asarray(x.multiply(self._half).sum(axis=0)).ravel()) / penalty

    def times(self, had: Matrix) -> Matrix:
        """(n,) had @ P."""
        return np.asarray((had - (self._x @ had) @ self._half) / self._penalty)


def ease_peers(catalogue: Sized) -> dict[str, Peer]:
    """It, by name."""
    items = len(catalogue)
    return {"ease": OrPopular(Refitted("ease", items, EASE, LAMBDAS), items)}
