"""What the intent and the fused model say of items of a large catalogue: searched for, and scored
one by one.

A score of the fused model is a product with the item's text and, where there were events on it,
with its identity; so one index of the texts serves both signals. It knows nothing about weights of
signals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.catalogue.nearest.walk import MOST_SEEN, search
from learner.counts.dense import FUSED, INTENT, Dense, empty_dense
from learner.fused.model import FusedModel
from learner.ranking.names import DENSE

__all__ = ["look_around", "one_by_one"]


def one_by_one(
    catalogue: Catalogue,
    intents: NDArray[np.float32],
    own: NDArray[np.float32],
    fused: FusedModel | None,
    most: int,
) -> Dense:
    """What scores are made of, for b users with intents (b, d) and, where the fused model is
    ready, vectors (b, m + 1). Nothing is near yet; there is room for `most`.
    """
    queries = np.zeros((len(DENSE), *intents.shape), np.float32)
    queries[INTENT] = intents
    dense = empty_dense()._replace(
        near=np.full((len(DENSE), len(intents), most), -1, np.int32),
        queries=queries,
        texts=catalogue.graph.vectors,
        own=own,
    )
    if fused is not None and own.size:
        queries[FUSED], identities, trust = fused.queries(own)
        dense = dense._replace(identities=identities, events=fused.items.events, trust=trust)
    return dense


def look_around(
    catalogue: Catalogue,
    dense: Dense,
    on: NDArray[np.bool_],
    blocked: Sequence[Sequence[int]],
    categories: Sequence[str | None],
) -> None:
    """Finds what is near to each user, without what is blocked. In a category that is not too large
    it looks at every item, also for a user of whom nothing is known.
    """
    steps, trail = catalogue.graph.steps, catalogue.graph.trail
    nothing = np.zeros(0, np.int32)
    for user, (rows, category) in enumerate(zip(blocked, categories, strict=True)):
        allowed, only = catalogue.allowed, nothing
        if category is not None:
            allowed, only = catalogue.in_category(category), catalogue.of_category(category)
            only = only if len(only) <= MOST_SEEN else nothing
        gone = np.array(rows, np.int32)
        for which in range(len(DENSE)):
            if on[user, which] or len(only):
                found = dense.near[which, user]
                search(steps, trail, dense.queries[which, user], only, allowed, gone, found)
