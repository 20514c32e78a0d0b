"""What is counted of many users and never leaves, and what is told of it: under noise, and without
what noise alone would have told. It knows nothing about examples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, room
from learner.counts.released import LATELY, OF_LATELY, OF_LIKES, OF_NEWCOMERS, RELEASED
from learner.private.continual import Noise, roots
from learner.private.lately import Lately
from learner.private.moves import Moves
from learner.private.plan import Plan
from learner.ranking.gate import FEATURES, PER_SIGNAL
from learner.ranking.names import SIGNALS
from learner.ranking.parameters import part, prefixed

__all__ = ["NEWCOMER_ITEMS", "SILENT", "Sums", "Told"]

NEWCOMER_ITEMS = 16
"""Of a user's first items that the counts of newcomers are of."""
LESSON_LENGTH = 3.0
"""A lesson that is longer is cut to it."""
RATE = 0.03
"""By which the sum of lessons, in users, makes weights."""
CERTAIN, KNOWN = 2.0, 4.0
"""Deviations of its noise that a count must have, else it is told as 0; and that it has of items
among which moves are counted, and of those that were liked of late.
"""
SILENT = frozenset(
    {
        "popularity_50",
        "popularity_200",
        "popularity_5000",
        "recency",
        "newness",
        "like_rate",
        "covisitation",
        "affinity_10",
        "affinity_50",
        "affinity_any_10",
        "transition_3",
        "transition_recent",
        "transition_10",
        "text_covisitation",
    }
)
"""Signals that read what is not told, and so say nothing."""
_HEARD = np.array([name not in SILENT for name in SIGNALS] + [True]).repeat(
    [PER_SIGNAL] * len(SIGNALS) + [1]
)
_PRIOR_SIGNALS = (
    "likes_20000",
    "newcomers_200",
    "transition_last",
    "transition_any_3",
    "catalogue_distance",
    "order_5",
    "categories_5",
    "text_similarity",
    "intent",
)
_PRIOR_WEIGHT = 0.3
PRIOR = _PRIOR_WEIGHT * np.array(
    [
        float(name in _PRIOR_SIGNALS and feature < 2)
        for name in SIGNALS
        for feature in range(PER_SIGNAL)
    ]
    + [0.0]
)
"""Weights of the gate before any lesson, set by hand: z-score and rank of what says the most."""
_OF_FUSED = np.array([name == "fused" for name in SIGNALS] + [False]).repeat(
    [PER_SIGNAL] * len(SIGNALS) + [1]
)
_COUNTED = {"likes": OF_LIKES, "newcomers": OF_NEWCOMERS}


@dataclass(frozen=True, slots=True)
class Told:
    """rows: (n,) int32 items, values: (n, RELEASED) float32 people. movers: (k,) int32 items,
    moves: (k, k) float32 people from one to another. weights: (F,) of the gate.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.float32]
    movers: NDArray[np.int32]
    moves: NDArray[np.float32]
    weights: NDArray[np.float64]


class Sums:
    """Running sums over all epochs, of what bounds let through. fused: that signal is heard."""

    def __init__(self, fused: bool = False) -> None:
        self._heard = _HEARD if fused else _HEARD & ~_OF_FUSED
        self._people = np.zeros((RELEASED, 0))
        self._lessons = np.zeros(FEATURES)
        self._moves = Moves()
        self._lately = Lately(LATELY)

    def count(self, row: int, place: int, before: Sequence[int] = ()) -> None:
        """One more user liked the item, after those `before`, newest first; it is their `place`-th,
        from 0.
        """
        self._moves.count(row, before)
        self._people = grown(self._people, room(row + 1, self._people.shape[1]), 1)
        self._people[OF_LIKES, row] += 1.0
        if place < NEWCOMER_ITEMS:
            self._people[OF_NEWCOMERS, row] += 1.0

    def teach(self, gradient: NDArray[np.float32], most: int) -> None:
        """A lesson (F,) of a user who gives `most` at most."""
        heard = np.where(self._heard, gradient, 0.0)
        length = float(np.linalg.norm(heard))
        if math.isfinite(length) and length > 0.0:
            self._lessons += heard / (max(length, LESSON_LENGTH) * most)

    def tell(self, plan: Plan, secret: bytes, generation: int, epoch: int, rows: int) -> Told:
        """After `epoch` (from 0); `rows` exist."""
        self._people = grown(self._people, room(rows, self._people.shape[1]), 1)
        lengths = plan.lengths(epoch)
        spread = math.sqrt(float(np.square(roots(epoch + 1)).sum()))
        values = np.zeros((rows, RELEASED), np.float32)
        certainty = np.zeros(rows)
        for name, column in _COUNTED.items():
            most = NEWCOMER_ITEMS if name == "newcomers" else plan.events
            unit = math.sqrt(most) * plan.sigma(name)  # of a user's norm, in people
            noise = Noise(secret, name, generation)
            told = self._people[column, :rows] + unit * noise.of(epoch, 1, rows)[0]
            deviations = told / (unit * spread)
            values[:, column] = np.where(deviations >= CERTAIN, told, 0.0)
            certainty = np.maximum(certainty, deviations)
            if column == OF_LIKES:
                unmoved = unit * noise.of(epoch - 1, 1, rows)[0]
                late = self._lately.tell(told, unmoved, lengths, generation)
                sure = late >= KNOWN * unit * self._lately.deviation(lengths)
                values[:, OF_LATELY] = np.where(sure, late, 0.0)
        noise = Noise(secret, "gate", generation).of(epoch, 1, FEATURES)[0]
        weights = PRIOR + RATE * np.where(
            self._heard, self._lessons + plan.sigma("gate") * noise, 0.0
        )
        kept = np.flatnonzero(values.any(axis=1)).astype(np.int32)
        moves = self._moves.tell(plan, secret, generation, epoch)
        movers = np.array(self._moves.rows, np.int32)
        best = np.argsort(-certainty, kind="stable")
        self._moves.know(best[certainty[best] >= KNOWN].tolist())
        return Told(kept, values[kept], movers, moves, weights)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        own = {"people": self._people.copy(), "lessons": self._lessons.copy()}
        moves, lately = self._moves.arrays(), self._lately.arrays()
        return own | prefixed("moves.", moves) | prefixed("lately.", lately)

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse."""
        self._people, self._lessons = np.array(arrays["people"]), np.array(arrays["lessons"])
        self._moves.restore(part(arrays, "moves."))
        if "lately.before" in arrays:
            self._lately.restore(part(arrays, "lately."))
        else:  # of before likes of late were told
            self._lately.unknown(self._people.shape[1])
