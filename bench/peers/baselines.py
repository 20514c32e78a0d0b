"""The peers of the protocol: simple recommenders that are embarrassingly strong on a stream,
learned event by event.

Plain and uncapped on purpose: dense tables, one numpy expression each, so that a reader can check
them. They know nothing of Upwell's own tables. Every peer scores the whole catalogue before the
event is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CoVisitation",
    "OrPopular",
    "Peer",
    "Popularity",
    "Scores",
    "TextSimilarity",
    "Transitions",
    "default_peers",
]

Scores = NDArray[np.float32]


class Peer(Protocol):
    """user: who. rows: (n,) catalogue rows of the items they had so far, oldest first. `score`
    gives (N,), before the event is learned.
    """

    def score(self, user: str, rows: Sequence[int]) -> Scores: ...

    def learn(self, user: str, rows: Sequence[int], row: int) -> None: ...


class Popularity:
    """Events an item, halved every `half_life` events; all time where it is None."""

    def __init__(self, items: int, half_life: float | None) -> None:
        self._counts = np.zeros(items, dtype=np.float64)
        self._keep = 1.0 if half_life is None else 0.5 ** (1.0 / half_life)
        self._step = 1.0

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        return (self._counts / self._step).astype(np.float32)

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        self._step /= self._keep  # growing steps instead of shrinking counts: one entry a time
        self._counts[row] += self._step
        if self._step > 1e100:
            self._counts /= self._step
            self._step = 1.0


class CoVisitation:
    """Cosine of co-occurrence with the user's last items, summed over them (pairs over whole
    histories are weaker).
    """

    def __init__(self, items: int, last: int = 10) -> None:
        self._pairs = np.zeros((items, items), dtype=np.float32)
        self._counts = np.zeros(items, dtype=np.float32)
        self._last = last

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        recent = list(rows[-self._last :])
        if not recent:
            return np.zeros(len(self._counts), dtype=np.float32)
        norms = np.sqrt(np.maximum(self._counts, 1.0))
        cosine: Scores = (self._pairs[recent] / norms[recent, None]).sum(axis=0) / norms
        return cosine

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        others = np.asarray(rows[-self._last :], dtype=np.int64)
        self._pairs[others, row] += 1.0
        self._pairs[row, others] += 1.0
        self._counts[row] += 1.0


class Transitions:
    """Directed transitions: how often an item followed another within the last items, nearer ones
    count more.
    """

    def __init__(self, items: int, last: int = 10, decay: float = 0.85) -> None:
        self._next = np.zeros((items, items), dtype=np.float32)
        self._weights: Scores = np.asarray(decay ** np.arange(last), dtype=np.float32)

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        recent = list(rows[: -len(self._weights) - 1 : -1])
        scores: Scores = self._weights[: len(recent)] @ self._next[recent]
        return scores

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        recent = np.asarray(rows[: -len(self._weights) - 1 : -1], dtype=np.int64)
        self._next[recent, row] += self._weights[: len(recent)]


class TextSimilarity:
    """Mean cosine of the language model's vectors to the user's last items.

    vectors: (N, d) of unit length.
    """

    def __init__(self, vectors: NDArray[np.float32], last: int = 3) -> None:
        self._vectors = vectors
        self._last = last

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        recent = list(rows[-self._last :])
        if not recent:
            return np.zeros(len(self._vectors), dtype=np.float32)
        return np.asarray(self._vectors @ self._vectors[recent].mean(axis=0), dtype=np.float32)

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        """Text alone: nothing to learn."""


class OrPopular:
    """A peer that hands out what is popular of all time where it has nothing to say of a user: no
    score but zeros.
    """

    def __init__(self, peer: Peer, items: int) -> None:
        self._peer = peer
        self._popularity = Popularity(items, None)

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        scores = self._peer.score(user, rows)
        return scores if scores.any() else self._popularity.score(user, rows)

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        self._peer.learn(user, rows, row)
        self._popularity.learn(user, rows, row)


def default_peers(vectors: NDArray[np.float32]) -> dict[str, Peer]:
    """The peers of the protocol, by name."""
    items = len(vectors)
    peers: dict[str, Peer] = {"popularity": Popularity(items, None)}
    peers |= {
        f"popularity_{half_life}": Popularity(items, half_life)
        for half_life in (50, 200, 1_000, 5_000)
    }
    return peers | {
        "covisitation": CoVisitation(items),
        "transitions": Transitions(items),
        "text": TextSimilarity(vectors),
    }
