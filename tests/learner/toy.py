"""A small world for the fused model's tests: items on a ring, users who walk along it, no
randomness but seeded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learner.counts.events import KINDS
from learner.fused.histories import LENGTH, HistoryBatch
from learner.fused.items import ItemTable
from learner.fused.trained import TrainedModel
from learner.training.batch import Tuning
from learner.training.buffer import ExampleBatch
from learner.training.trainer import Trainer
from upwell.settings import LearnerSettings

DIMENSION = 12
ITEMS = 40
REVIEW = KINDS.index("review")
SECOND = 1_000
OFF = LearnerSettings(rating_head=False)
CALM = Tuning(windows=8, uniform=16, popular=16, thin=0.0, dropout=0.0, id_dropout=0.0)


def vectors(count: int = ITEMS, seed: int = 1) -> NDArray[np.float32]:
    """(count, DIMENSION) of unit length."""
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def histories(
    walks: list[list[int]], intents: NDArray[np.float32] | None = None, stars: float = 4.0
) -> HistoryBatch:
    """Users who rated these items `stars`, a second apart."""
    count = len(walks)
    batch = HistoryBatch(
        np.full((count, LENGTH), -1, np.int32),
        np.zeros((count, LENGTH), np.uint8),
        np.full((count, LENGTH), np.nan, np.float32),
        np.zeros((count, LENGTH), np.int64),
        np.array([len(walk) for walk in walks], np.int64),
        np.zeros((count, DIMENSION), np.float32) if intents is None else intents,
    )
    for number, walk in enumerate(walks):
        batch.rows[number, : len(walk)] = walk
        batch.kinds[number, : len(walk)] = REVIEW
        batch.ratings[number, : len(walk)] = stars
        batch.ts[number, : len(walk)] = SECOND * np.arange(len(walk))
    return batch


def examples(users: list[str], walks: list[list[int]], stars: float = 4.0) -> ExampleBatch:
    """The last item of each walk is the event, those before it the history."""
    past = histories([walk[:-1] for walk in walks], stars=stars)
    count = len(walks)
    return ExampleBatch(
        users=users,
        before=np.array([len(walk) - 1 for walk in walks], np.int64),
        histories=past,
        rows=np.array([walk[-1] for walk in walks], np.int32),
        kinds=np.full(count, REVIEW, np.uint8),
        ratings=np.full(count, stars, np.float32),
        ts=SECOND * past.lengths,
    )


def ring(users: int, length: int = 10, seed: int = 3) -> ExampleBatch:
    """Users who went from a random item to the next ones along the ring."""
    starts = np.random.default_rng(seed).integers(ITEMS, size=users)
    walks = [[int((start + step) % ITEMS) for step in range(length)] for start in starts]
    return examples([f"u{number}" for number in range(users)], walks)


def table(texts: NDArray[np.float32]) -> ItemTable:
    """(n, DIMENSION) of n items; a row of zeros is not announced."""
    made = ItemTable(DIMENSION)
    made.refer(texts, len(texts), np.arange(len(texts)))
    return made


def model(seed: int = 7) -> TrainedModel:
    """All items announced."""
    return TrainedModel(table(vectors()), seed, device="cpu")


def trainer(settings: LearnerSettings = OFF, tuning: Tuning = CALM, seed: int = 7) -> Trainer:
    """Fed with the ring, not trained yet."""
    made = Trainer(model(), settings, seed, tuning=tuning)
    made.add(ring(24))
    return made


def poisoned(examples_: ExampleBatch) -> ExampleBatch:
    """The same with intents that are no numbers."""
    wrong = np.full_like(examples_.histories.intents, np.nan)
    return replace(examples_, histories=replace(examples_.histories, intents=wrong))
