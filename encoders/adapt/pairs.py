"""Pairs of texts that belong together, in the order in which they are trained on, and which of a
batch are no negatives. Pure; neither torch nor transformers is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pair", "batch_of", "false_negatives"]


@dataclass(frozen=True, slots=True)
class Pair:
    """liked: texts that belong to the anchor's user as well, and so are no negatives of it."""

    anchor: str
    positive: str
    liked: frozenset[str] = frozenset()


def batch_of(pairs: Sequence[Pair], size: int, number: int, seed: int) -> list[Pair]:
    """The batch with this number, from 0: a function of its arguments, so that a run goes on where
    it was stopped.

    Each epoch goes through all pairs in an order of its own; the last batch is filled up from the
    next.
    """
    places = range(number * size, (number + 1) * size)
    orders = {
        epoch: np.random.default_rng([seed, epoch]).permutation(len(pairs))
        for epoch in {place // len(pairs) for place in places}
    }
    return [pairs[orders[place // len(pairs)][place % len(pairs)]] for place in places]


def false_negatives(batch: Sequence[Pair]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the others' texts may not count as negatives, both (B, B): of anchors (rows) among
    positives (columns), and of positives (rows) among anchors (columns).

    The same text, or one that the row's user liked as well; never the diagonal.
    """
    forward = [
        [_belongs(one, other.positive) or one.anchor == other.anchor for other in batch]
        for one in batch
    ]
    backward = [
        [_belongs(one, other.anchor) or one.positive == other.positive for other in batch]
        for one in batch
    ]
    own = np.eye(len(batch), dtype=bool)
    return np.array(forward, bool) & ~own, np.array(backward, bool) & ~own


def _belongs(pair: Pair, text: str) -> bool:
    return text in pair.liked or text in (pair.anchor, pair.positive)
