"""What one would write instead of a desk: nearest neighbours and logistic regression over frozen
vectors, and over hashed n-grams. From scikit-learn, each with its defaults but for the loss.
"""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import vstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier

__all__ = ["PEERS", "REFITTED", "Peer", "make_peer"]

SHOWN = 3
REFIT = 500
"""Questions; as often as a batch job that somebody still waits for."""


class Peer(Protocol):
    """One side of the bench."""

    def ask(self, text: str, vector: NDArray[np.float32]) -> tuple[list[str], float]:
        """The best three labels, best first, and the share of the first."""

    def learn(self, text: str, vector: NDArray[np.float32], label: str) -> None:
        """The right one."""


class Refitted:
    """A model that is fitted on all that was seen, every so often. `every` 1: each time, which a
    nearest-neighbour search can do. grams: over n-grams instead of vectors.
    """

    def __init__(self, model: Any, every: int, grams: bool = False) -> None:
        self.model = model
        self.every = every
        self.hashing = hashed_grams() if grams else None
        self.features: list[Any] = []
        self.labels: list[str] = []
        self.fitted = False

    def ask(self, text: str, vector: NDArray[np.float32]) -> tuple[list[str], float]:
        if not self.fitted:
            return [], 0.0
        shares = self.model.predict_proba(self._features(text, vector))[0]
        return best_of(shares, self.model.classes_)

    def learn(self, text: str, vector: NDArray[np.float32], label: str) -> None:
        self.features.append(self._features(text, vector))
        self.labels.append(label)
        enough = len(self.labels) >= 10 and len(set(self.labels)) > 1
        if enough and len(self.labels) % self.every == 0:
            with warnings.catch_warnings():  # at first there are nearly as many labels as vectors
                warnings.simplefilter("ignore", UserWarning)
                self.model.fit(self._stacked(), self.labels)
            self.fitted = True

    def _features(self, text: str, vector: NDArray[np.float32]) -> Any:
        return vector[None] if self.hashing is None else self.hashing.transform([text])

    def _stacked(self) -> Any:
        return np.concatenate(self.features) if self.hashing is None else vstack(self.features)


class Online:
    """SGDClassifier's `partial_fit`, an example at a time. grams: over n-grams instead of vectors.

    It wants to know all labels before it begins: one that comes later makes it begin again on all
    that was seen.
    """

    def __init__(self, grams: bool) -> None:
        self.hashing = hashed_grams()
        self.grams = grams
        self.seen: list[tuple[Any, str]] = []
        self.labels: list[str] = []
        self.model: Any = None

    def ask(self, text: str, vector: NDArray[np.float32]) -> tuple[list[str], float]:
        if self.model is None:
            return [], 0.0
        shares = self.model.predict_proba(self._features(text, vector))[0]
        return best_of(shares, self.model.classes_)

    def learn(self, text: str, vector: NDArray[np.float32], label: str) -> None:
        features = self._features(text, vector)
        self.seen.append((features, label))
        if label not in self.labels:
            self.labels.append(label)
            self.model = None
        if len(self.labels) < 2:
            return
        if self.model is None:
            self.model = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=7)
            for some, one in self.seen:
                self.model.partial_fit(some, [one], classes=sorted(self.labels))
        else:
            self.model.partial_fit(features, [label])

    def _features(self, text: str, vector: NDArray[np.float32]) -> Any:
        return self.hashing.transform([text]) if self.grams else vector[None]


def hashed_grams() -> HashingVectorizer:
    """Of 3 to 5 characters, within words."""
    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=1 << 16, alternate_sign=False
    )


def best_of(shares: NDArray[np.float64], labels: NDArray[np.str_]) -> tuple[list[str], float]:
    order = np.argsort(-shares, kind="stable")[:SHOWN]
    return [str(labels[place]) for place in order], float(shares[order[0]])


PEERS = (
    "nearest",
    "5 nearest",
    "logistic regression, online",
    "logistic regression, refitted",
    "n-grams, online",
)

REFITTED = ("5 nearest", "logistic regression, refitted", "n-grams, refitted")
"""Those that tell of each of thousands of questions within minutes."""


def make_peer(name: str) -> Peer:
    """By its name among `PEERS` and `REFITTED`."""
    if name == "nearest":
        return Refitted(KNeighborsClassifier(1, metric="cosine"), 1)
    if name == "5 nearest":
        return Refitted(KNeighborsClassifier(5, metric="cosine", weights="distance"), 1)
    if name == "logistic regression, refitted":
        return Refitted(LogisticRegression(C=10.0, max_iter=1_000), REFIT)
    if name == "n-grams, refitted":
        model = SGDClassifier(loss="log_loss", alpha=1e-5, random_state=7)
        return Refitted(model, REFIT, grams=True)
    return Online(grams=name == "n-grams, online")
