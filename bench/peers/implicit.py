"""implicit's matrix factorizations as peers, refitted on all that came before every 5,000 events.

Needs `uv pip install implicit` (the dependency group `bench`). Between two fits a user's vector is
folded in from the items they had by then (ALS), or is that of the last fit (BPR, which has no
fold-in); a user who was not there gets what is popular.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bench.peers.baselines import OrPopular, Peer, Scores
from bench.peers.refitted import REFIT_EVERY, seen_matrix

__all__ = ["ALS", "BPR", "implicit_peers"]

FACTORS = 64
SEED = 7


class _Refitted:
    """The events so far as a matrix of users and items, and a model of it that is made anew now and
    then.
    """

    def __init__(self, items: int) -> None:
        self._items = items
        self._users: dict[str, int] = {}
        self._pairs: list[tuple[int, int]] = []
        self._model: Any = None

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        self._pairs.append((self._users.setdefault(user, len(self._users)), row))
        if len(self._pairs) % REFIT_EVERY == 0:
            self._model = self._new()
            self._model.fit(seen_matrix(self._pairs, self._items), show_progress=False)

    def _new(self) -> Any:
        raise NotImplementedError

    def _nothing(self) -> Scores:
        return np.zeros(self._items, np.float32)


class ALS(_Refitted):
    """Alternating least squares (Hu, Koren, Volinsky 2008)."""

    def _new(self) -> Any:
        return AlternatingLeastSquares(FACTORS, random_state=SEED, num_threads=1)

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        if self._model is None or not rows:
            return self._nothing()
        had = np.unique(rows)
        seen = csr_matrix(
            (np.ones(len(had), np.float32), (np.zeros(len(had), np.int32), had)), (1, self._items)
        )
        factors: NDArray[np.float32] = self._model.recalculate_user(0, seen)
        return np.asarray(self._model.item_factors @ factors.ravel(), np.float32)


class BPR(_Refitted):
    """Bayesian personalized ranking (Rendle et al. 2009)."""

    def _new(self) -> Any:
        return BayesianPersonalizedRanking(FACTORS, random_state=SEED, num_threads=1)

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        known = self._users.get(user)
        if self._model is None or known is None or known >= len(self._model.user_factors):
            return self._nothing()
        return np.asarray(self._model.item_factors @ self._model.user_factors[known], np.float32)


def implicit_peers(catalogue: Sized) -> dict[str, Peer]:
    """Both, by name."""
    items = len(catalogue)
    return {"als": OrPopular(ALS(items), items), "bpr": OrPopular(BPR(items), items)}
