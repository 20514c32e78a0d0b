"""What one would write instead of a watch: a lexicon or a linear model for moods, k-means for
topics. From vaderSentiment, scikit-learn and river, each with its defaults where nothing is said.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import Ridge, SGDRegressor

from bench.uses.opinion_streams import agreement
from learner.watch.mood import Mood

__all__ = ["clusterings", "moods"]

REFIT = 50
BATCH = 100
SLOW = 2_000
Told = list[float | None]


def moods(
    texts: Sequence[str], vectors: NDArray[np.float32], right: Sequence[float]
) -> dict[str, Told]:
    """By side: each text before its label is learned."""
    return {
        "upwell": _own(texts, vectors, right),
        "ridge": _ridge(vectors, right),
        "sgd": _sgd(vectors, right),
        "vader": _vader(texts),
    }


def clusterings(
    vectors: NDArray[np.float32], kinds: Sequence[str], slow: bool
) -> dict[str, dict[str, Any]]:
    """By side."""
    sides = {"MiniBatchKMeans": _batches(vectors, kinds)}
    if slow:
        sides["DBSTREAM of river"] = _dbstream(vectors[:SLOW], kinds[:SLOW])
    return sides


def _own(texts: Sequence[str], vectors: NDArray[np.float32], right: Sequence[float]) -> Told:
    mood, told = Mood(vectors.shape[1]), []
    for text, vector, label in zip(texts, vectors, right, strict=True):
        told.append(mood.told(text, vector))
        mood.learn(text, vector, label)
    return told


def _ridge(vectors: NDArray[np.float32], right: Sequence[float]) -> Told:
    told: Told = []
    for start in range(0, len(right), REFIT):
        batch = vectors[start : start + REFIT]
        if start == 0:
            told += [None] * len(batch)
        else:
            model = Ridge(alpha=1.0).fit(vectors[:start], right[:start])
            told += [float(np.clip(one, -1.0, 1.0)) for one in model.predict(batch)]
    return told


def _sgd(vectors: NDArray[np.float32], right: Sequence[float]) -> Told:
    model, told = SGDRegressor(random_state=7), []
    for vector, label in zip(vectors, right, strict=True):
        known = hasattr(model, "coef_")
        told.append(float(np.clip(model.predict(vector[None])[0], -1.0, 1.0)) if known else None)
        model.partial_fit(vector[None], [label])
    return told


def _vader(texts: Sequence[str]) -> Told:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    lexicon = SentimentIntensityAnalyzer()
    return [float(lexicon.polarity_scores(text)["compound"]) for text in texts]


def _batches(vectors: NDArray[np.float32], kinds: Sequence[str]) -> dict[str, Any]:
    """It is told how many kinds there are, and learns a hundred posts at a time."""
    count = len(set(kinds))
    model = MiniBatchKMeans(count, random_state=7, n_init=3)
    began = time.perf_counter()
    first = max(2 * count, BATCH)
    model.partial_fit(vectors[:first])
    told = (model.labels_ + 1).tolist()
    for start in range(first, len(vectors), BATCH):
        batch = vectors[start : start + BATCH]
        told += (model.predict(batch) + 1).tolist()
        model.partial_fit(batch)
    return _report(kinds, told, began)


def _dbstream(vectors: NDArray[np.float32], kinds: Sequence[str]) -> dict[str, Any]:
    from river.cluster import DBSTREAM

    model = DBSTREAM(
        clustering_threshold=0.8,
        fading_factor=0.0005,
        cleanup_interval=100,
        intersection_factor=0.3,
        minimum_weight=2,
    )
    began, told = time.perf_counter(), []
    for vector in vectors:
        features = dict(enumerate(vector.tolist()))
        told.append(1 + model.predict_one(features))
        model.learn_one(features)
    return _report(kinds, told, began)


def _report(kinds: Sequence[str], told: Sequence[int], began: float) -> dict[str, Any]:
    ms = 1e3 * (time.perf_counter() - began) / len(told)
    return {**agreement(kinds, told), "ms": round(ms, 2)}
