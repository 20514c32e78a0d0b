"""What one would fill labels with instead, from scikit-learn; none of them minds the order: each
sees all that is labelled, also what was announced later.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from bench.propagation.labels import NEAREST
from upwell.values import Vector

__all__ = ["PEERS", "Fill"]

Shares = NDArray[np.float32]
Fill = Callable[[Vector, NDArray[np.bool_], NDArray[np.bool_]], Shares]
"""Vectors (n, d), labels (n, L), known (n,); gives the confidence in each label of each item."""


def frequency(vectors: Vector, held: NDArray[np.bool_], known: NDArray[np.bool_]) -> Shares:
    """The same for all: how many known items have the label."""
    return np.tile(held[known].mean(axis=0), (len(held), 1)).astype(np.float32)


def neighbours(vectors: Vector, held: NDArray[np.bool_], known: NDArray[np.bool_]) -> Shares:
    """`KNeighborsClassifier` of all labels at once, weighted by distance."""
    model = KNeighborsClassifier(NEAREST, weights="distance", algorithm="brute")
    found = model.fit(vectors[known], held[known]).predict_proba(vectors)
    return np.stack([_of_true(*one) for one in zip(found, model.classes_, strict=True)], axis=1)


def logistic(vectors: Vector, held: NDArray[np.bool_], known: NDArray[np.bool_]) -> Shares:
    """`LogisticRegression`, one for each label: what is supervised and no propagation."""
    shares = np.zeros(held.shape, np.float32)
    for label in np.flatnonzero(held[known].any(axis=0)):
        model = LogisticRegression(C=10.0, max_iter=300).fit(vectors[known], held[known, label])
        shares[:, label] = _of_true(model.predict_proba(vectors), model.classes_)
    return shares


def spread(kind: Callable[..., Any]) -> Fill:
    """`LabelPropagation` or `LabelSpreading`, one for each label, over the graph of the nearest
    items, unlabelled ones too.
    """

    def fill(vectors: Vector, held: NDArray[np.bool_], known: NDArray[np.bool_]) -> Shares:
        graph = kneighbors_graph(vectors, NEAREST)
        shares = np.zeros(held.shape, np.float32)
        for label in np.flatnonzero(held[known].any(axis=0)):
            model = kind(kernel=lambda one, other: graph, max_iter=100)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(vectors, np.where(known, held[:, label].astype(int), -1))
            shares[:, label] = _of_true(model.label_distributions_, model.classes_)
        return np.nan_to_num(shares)

    return fill


def _of_true(shares: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.float32]:
    """The column of the class that is true; zero where no known item was."""
    place = np.flatnonzero(classes.astype(bool))
    return shares[:, place[0]].astype(np.float32) if len(place) else np.zeros(len(shares), "f4")


PEERS: dict[str, Fill] = {
    "the labels' frequency": frequency,
    "KNeighborsClassifier": neighbours,
    "LabelPropagation": spread(LabelPropagation),
    "LabelSpreading": spread(LabelSpreading),
    "LogisticRegression": logistic,
}
