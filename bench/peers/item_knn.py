"""Item-based nearest neighbours (Deshpande, Karypis 2004) as a peer: cosine with shrinkage, of each
item the k nearest, summed over the last of what a user had.

Well tuned it is among the strong ones (Ferrari Dacrema et al. 2019, "Are we really making much
progress?"). implicit's has no shrinkage, and RePlay's runs in Spark, so it is plain numpy and scipy
here. Items that had an event are held as a dense square; above 10,000 it is not fitted.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from bench.peers.baselines import OrPopular, Peer, Scores
from bench.peers.refitted import Refitted, TooManyItemsError

__all__ = ["ItemKNN", "Near", "item_knn_peers"]

LARGEST = 10_000


class Near(NamedTuple):
    """k: nearest items. shrink: added to the product of the norms, in events. last: of what a user
    had, None for all of it.
    """

    k: int
    shrink: float
    last: int | None = None


GRID = tuple(Near(*one) for one in product((20, 50, 200), (0.0, 5.0, 20.0), (5, 20, None)))


class ItemKNN:
    """seen: (U, N) sparse zeros and ones."""

    def __init__(self, seen: Any, near: Near) -> None:
        self._known = np.unique(seen.indices)
        if len(self._known) > LARGEST:
            raise TooManyItemsError(f"{len(self._known):,} items, {LARGEST:,} at most are held")
        self._places = {row: place for place, row in enumerate(self._known.tolist())}
        self._items, self._last = seen.shape[1], near.last
        x = seen[:, self._known]
        pairs = (x.T @ x).toarray()  # (n, n)
        norms = np.sqrt(np.diag(pairs))
        np.fill_diagonal(pairs, 0.0)
        pairs /= np.outer(norms, norms) + near.shrink
        self._nearest = _keep(pairs, near.k)

    def score(self, rows: Sequence[int]) -> Scores:
        scores = np.zeros(self._items, np.float32)
        recent = rows[-self._last :] if self._last else rows
        had = sorted({self._places[row] for row in recent if row in self._places})
        scores[self._known] = self._nearest[had].sum(axis=0)
        return scores


def _keep(similarities: Scores, k: int) -> Scores:
    """(n, n): of each row its k largest, the others 0."""
    if k < len(similarities):
        others = np.argpartition(similarities, -k, axis=1)[:, :-k]
        np.put_along_axis(similarities, others, 0.0, axis=1)
    return similarities


def item_knn_peers(catalogue: Sized) -> dict[str, Peer]:
    """It, by name."""
    items = len(catalogue)
    return {"item_knn": OrPopular(Refitted("item_knn", items, ItemKNN, GRID), items)}
