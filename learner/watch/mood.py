"""How favourable a post is, learned from posts that say so: ridge regression on vectors, by
recursive least squares, and linear regression on hashed words and n-grams; how much each is trusted
is learned from what it told before.
"""

from __future__ import annotations

import itertools
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from learner.desk.ngrams import BUCKETS, ngrams, words_of

__all__ = ["ENOUGH", "Mood"]

ENOUGH = 20
"""Labels; before them nothing is told."""
_RIDGE = 1.0
_OFFSET = 0.3  # of the constant feature
_STEP = 0.3
_LEAST = 0.1
_TRUST = np.array([0.4, 0.3, 0.3, 0.0])


class Ridge:
    """weights: (D,). inverse: (D, D), of the features' moments and the ridge."""

    def __init__(self, dimension: int, weights: NDArray[np.float64] | None = None) -> None:
        self.weights = np.zeros(dimension) if weights is None else weights.copy()
        self.inverse = np.eye(dimension) / _RIDGE

    def learn(self, features: NDArray[np.float64], right: float) -> None:
        """One example, exactly: what all so far give. features: (D,)."""
        moved = self.inverse @ features
        gain = moved / (1.0 + max(float(features @ moved), 0.0))
        self.weights += gain * (right - float(self.weights @ features))
        self.inverse -= np.outer(gain, moved)


class Hashed:
    """Linear, over hashed features, by AdaGrad. weights, squares: (BUCKETS,)."""

    def __init__(self) -> None:
        self.weights = np.zeros(BUCKETS)
        self.squares = np.full(BUCKETS, _LEAST)

    def told(self, columns: NDArray[np.int64]) -> float:
        """Of one example; its columns share a length of 1."""
        return float(self.weights[columns].sum() / np.sqrt(len(columns)))

    def learn(self, columns: NDArray[np.int64], right: float) -> None:
        """One step."""
        gradient = (self.told(columns) - right) / np.sqrt(len(columns))
        self.squares[columns] += gradient**2
        self.weights[columns] -= _STEP * gradient / np.sqrt(self.squares[columns])


class Mood:
    """labels: how many were learned."""

    def __init__(self, dimension: int) -> None:
        self.labels = 0
        self.vectors = Ridge(dimension + 1)
        self.ngrams, self.words = Hashed(), Hashed()
        self.trust = Ridge(len(_TRUST), _TRUST)

    def told(self, text: str, vector: NDArray[np.float32]) -> float | None:
        """In [-1, 1]; None before enough is known. vector: (D,)."""
        if self.labels < ENOUGH:
            return None
        parts = self._parts(_extended(vector), ngrams(text).columns, _word_columns(text))
        return float(np.clip(parts @ self.trust.weights, -1.0, 1.0))

    def learn(self, text: str, vector: NDArray[np.float32], right: float) -> None:
        """From a label in [-1, 1]."""
        features, grams, words = _extended(vector), ngrams(text).columns, _word_columns(text)
        self.trust.learn(self._parts(features, grams, words), right)
        self.vectors.learn(features, right)
        self.ngrams.learn(grams, right)
        self.words.learn(words, right)
        self.labels += 1

    def _parts(
        self,
        features: NDArray[np.float64],
        grams: NDArray[np.int64],
        words: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        return np.array(
            [
                float(self.vectors.weights @ features),
                self.ngrams.told(grams),
                self.words.told(words),
                _OFFSET,
            ]
        )


def _extended(vector: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.append(np.asarray(vector, np.float64), _OFFSET)


def _word_columns(text: str) -> NDArray[np.int64]:
    """Of words and of two in a row; one at least."""
    words = words_of(text)
    found = {f"={word}" for word in words}
    found.update(f"{one} {other}" for one, other in itertools.pairwise(words))
    columns = sorted({crc32(one.encode("utf-8", "surrogatepass")) % BUCKETS for one in found})
    return np.array(columns or [0], np.int64)
