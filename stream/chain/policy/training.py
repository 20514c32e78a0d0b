"""Weights, threshold and figures of a classifier, from texts of which somebody said what they are.

Logistic regression by AdaGrad (Duchi et al. 2011) over sparse rows, each class with half of the
weight. Three parts: weights are learned on the first, the threshold is chosen on the second, the
figures are of the third. The same texts and seed give the same bits on one processor and numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from stream.chain.policy.classifier import Classifier, Model, sigmoid
from stream.chain.policy.grams import BUCKETS, bucket, grams, tokens
from upwell.errors import LogError

__all__ = ["Example", "Share", "learn", "wilson"]

LEAST_HARMFUL = 50
"""Harmful texts: a fifth of them, the third part, is ten."""
EPOCHS = 12
BATCH = 256
RATE = 0.3
DECAY = 1e-5
_PARTS = 5  # three of them for the weights, one for the threshold, one for the figures
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Example:
    """A text, and whether somebody called it harmful."""

    text: str
    harmful: bool


@dataclass(frozen=True, slots=True)
class Share:
    """hits of so many, and its 95 % interval after Wilson (1927)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 where there is nothing that it is of."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """From and to, of 95 %."""
        return wilson(self.hits, self.of)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) where there is nothing that it is of."""
    if not of:
        return 0.0, 1.0
    share, z = hits / of, _Z
    middle = share + z * z / (2 * of)
    error = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (middle - error) / scale), min(1.0, (middle + error) / scale)


def learn(
    examples: Sequence[Example], name: str, false_hits: float, seed: int
) -> tuple[Model, dict[str, Share]]:
    """A model, and of the third part `precision`, `recall` and `false_hits`. A text that is there
    twice counts once.

    false_hits: share of harmless texts that may be called harmful, in the second part.

    Raises `LogError` where texts contradict each other, are too few, or harmless ones look as
    harmful as can be.
    """
    told = _unique(examples)
    _check(told, false_hits)
    random = np.random.default_rng(seed)
    first, second, third = _parts(told, random)
    weights, bias = _fit(first, random)
    counts = {"harmful": sum(one.harmful for one in told)}
    counts["harmless"] = len(told) - counts["harmful"]
    draft = Model(name, weights, bias, 1.0, seed, counts, false_hits, {})
    model = replace(draft, threshold=_threshold(Classifier(draft), second, false_hits))
    figures = measure(Classifier(model), third)
    held_out: dict[str, float] = {f"{key}_of": one.of for key, one in figures.items()}
    held_out |= {key: one.value for key, one in figures.items()}
    return replace(model, held_out=held_out), figures


def measure(classifier: Classifier, examples: Sequence[Example]) -> dict[str, Share]:
    """`precision`, `recall` and `false_hits` of a classifier as its threshold is."""
    called = [bool(classifier.find(one.text)) for one in examples]
    right = sum(hit and one.harmful for hit, one in zip(called, examples, strict=True))
    harmful = sum(one.harmful for one in examples)
    return {
        "precision": Share(right, sum(called)),
        "recall": Share(right, harmful),
        "false_hits": Share(sum(called) - right, len(examples) - harmful),
    }


def _unique(examples: Sequence[Example]) -> list[Example]:
    said: dict[str, Example] = {}
    for one in examples:
        if said.setdefault(one.text, one).harmful != one.harmful:
            raise LogError(f"the text {one.text[:60]!r} is called both harmful and harmless")
    return list(said.values())


def _check(examples: Sequence[Example], false_hits: float) -> None:
    if not 0.0 < false_hits < 1.0:
        raise LogError(f"a rate of false hits of {false_hits}: it is to be between 0 and 1")
    harmful = sum(one.harmful for one in examples)
    harmless = len(examples) - harmful
    if harmful < LEAST_HARMFUL:
        raise LogError(f"{harmful} harmful texts: at least {LEAST_HARMFUL} different ones")
    least = _PARTS * math.ceil(1 / false_hits)
    if harmless < least:
        raise LogError(
            f"{harmless:,} harmless texts: a rate of false hits of {false_hits:g} is seen in "
            f"{least:,} at least; give more, or ask for a higher rate"
        )


def _parts(examples: Sequence[Example], random: np.random.Generator) -> list[list[Example]]:
    """Three fifths, one and one of each kind, drawn."""
    parts: list[list[Example]] = [[], [], []]
    for kind in (True, False):
        own = [one for one in examples if one.harmful == kind]
        order = random.permutation(len(own))
        for place, index in enumerate(order.tolist()):
            parts[(0, 0, 0, 1, 2)[place % _PARTS]].append(own[index])
    return parts


def _threshold(classifier: Classifier, examples: Sequence[Example], false_hits: float) -> float:
    """The lowest that so few harmless texts reach, and no text of which no n-gram is known."""
    found = sorted(
        (classifier.probability(one.text) for one in examples if not one.harmful), reverse=True
    )
    unknown = sigmoid(classifier.model.bias)
    reached = max(unknown, found[math.floor(false_hits * len(found))])
    threshold = math.nextafter(reached, 2.0)
    if threshold > 1.0:
        raise LogError("harmless texts look as harmful as can be: are the labels right?")
    return threshold


def _rows(examples: Sequence[Example]) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Of each text its buckets and their values: what `Classifier` adds up, by the plainest reading
    of each word.
    """
    rows = []
    for one in examples:
        found = tokens(one.text)
        hashed = [bucket(gram) for token in found for gram in grams(token[0])]
        columns, counts = np.unique(np.array(hashed, np.int64), return_counts=True)
        rows.append((columns, counts / math.sqrt(max(1, len(found)))))
    return rows


def _fit(
    examples: Sequence[Example], random: np.random.Generator
) -> tuple[NDArray[np.float32], float]:
    rows = _rows(examples)
    labels = np.array([one.harmful for one in examples], np.float64)
    importance = np.where(labels > 0, 0.5 / labels.mean(), 0.5 / (1.0 - labels.mean()))
    weights = np.zeros(BUCKETS + 1)  # the last is the bias
    squares = np.full(BUCKETS + 1, 1e-8)
    for _ in range(EPOCHS):
        order = random.permutation(len(rows))
        for start in range(0, len(rows), BATCH):
            batch = order[start : start + BATCH]
            slope = _slope([rows[one] for one in batch], labels[batch], importance[batch], weights)
            slope += DECAY * weights
            squares += slope * slope
            weights -= RATE * slope / np.sqrt(squares)
    return weights[:-1].astype(np.float32), float(weights[-1])


def _slope(
    rows: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    labels: NDArray[np.float64],
    importance: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Of the mean weighted loss of these rows: (buckets + 1,)."""
    columns = np.concatenate([columns for columns, _ in rows])
    values = np.concatenate([values for _, values in rows])
    of = np.repeat(np.arange(len(rows)), [len(columns) for columns, _ in rows])
    logits = np.bincount(of, values * weights[columns], len(rows)) + weights[-1]
    wrong = importance * (1.0 / (1.0 + np.exp(-logits.clip(-500, 500))) - labels) / len(rows)
    slope = np.asarray(np.bincount(columns, values * wrong[of], len(weights)), np.float64)
    slope[-1] = wrong.sum()
    return slope
