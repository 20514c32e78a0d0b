"""A linear classifier of texts over hashed n-grams: how likely a text is harmful, and why.

It knows nothing about how its weights were learned (`training`) or kept (`model_file`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stream.chain.policy.grams import Token, bucket, grams, tokens
from stream.chain.policy.terms import Hit

__all__ = ["CLASSIFIER", "Classifier", "Model", "sigmoid"]

CLASSIFIER = "(classifier)"
"""Stands where a list has the term that was hit: none of a list's terms has a bracket alone."""
_KEPT_WORDS = 1 << 15


@dataclass(frozen=True, slots=True)
class Model:
    """name: of the label, as a list is named. weights: (buckets,) float32. threshold: probability
    from which on a text is harmful. seed: of the training. examples: that were given, by
    `harmful` and `harmless`. false_hits: the rate that was asked for. held_out: what was measured
    on texts that neither weights nor threshold have seen.
    """

    name: str
    weights: NDArray[np.float32]
    bias: float
    threshold: float
    seed: int
    examples: Mapping[str, int]
    false_hits: float
    held_out: Mapping[str, float]


def sigmoid(value: float) -> float:
    """Without an overflow, whatever the value."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    small = math.exp(value)
    return small / (1.0 + small)


class Classifier:
    """Finds as `Terms` does, but a text is harmful as a whole. A word counts as the worst that it
    may be read as, so no writing that has the plain word among its readings lowers the probability.

    threshold: in the place of the model's own. Thread-safe.
    """

    def __init__(self, model: Model, threshold: float | None = None) -> None:
        self.model = model
        self.threshold = model.threshold if threshold is None else threshold
        self._weights: list[float] = model.weights.astype(np.float64).tolist()
        self._worth_of = lru_cache(_KEPT_WORDS)(self._worst)

    def probability(self, text: str) -> float:
        """Of harm, as if both kinds of texts were as frequent; 0 for a text without a word."""
        found = tokens(text)
        if not found:
            return 0.0
        said = math.fsum(self._worth_of(token)[0] for token in found)
        return sigmoid(self.model.bias + said / math.sqrt(len(found)))

    def find(self, text: str) -> list[Hit]:
        """The whole text where it is harmful, else nothing."""
        return [Hit(0, len(text), CLASSIFIER)] if self.probability(text) >= self.threshold else []

    def why(self, text: str, most: int = 5) -> list[tuple[str, float]]:
        """The n-grams that speak most for harm, each with what it adds to the log-odds."""
        found = tokens(text)
        counts = Counter(gram for token in found for gram in grams(self._worth_of(token)[1]))
        share = 1.0 / math.sqrt(max(1, len(found)))
        told = [(gram, n * share * self._weights[bucket(gram)]) for gram, n in counts.items()]
        told.sort(key=lambda one: (-one[1], one[0]))
        return [one for one in told[:most] if one[1] > 0]

    def _worst(self, token: Token) -> tuple[float, str]:
        """The highest worth of its readings, and that reading."""
        worth = [
            (math.fsum(self._weights[bucket(gram)] for gram in grams(one)), one) for one in token
        ]
        return max(worth)
