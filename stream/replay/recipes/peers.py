"""Named peers of a recipe's lists: plain, exact, and quick enough to be asked before each event.

They know ids, times and who had what; no text, no weights.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["FavouritesFirst", "ItemKNN", "Newest", "Peer", "Popular", "Wanted"]

_ROOM = 1024
_LAST = 20
"""Items of a user that `ItemKNN` reads."""
_FADE = 0.98
"""Of what a user did, an event of theirs further back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list of `k` for a user at `at` (UTC ms), without `left_out`. history: what the user did,
    newest first, each item once.
    """

    user: str
    at: int
    history: Sequence[str]
    left_out: Collection[str]
    k: int


class Peer(Protocol):
    """Is asked for a list before the events of a micro-batch, then sees them. An item that was not
    announced is known from its first event on, and is never listed.
    """

    def announce(self, item_id: str, ts: int, available: bool) -> None: ...

    def see(self, user: str, item_id: str, ts: int) -> None: ...

    def list(self, wanted: Wanted) -> list[str]: ...


class _Shelf:
    """Items as rows. available: (capacity,) may be listed. since: (capacity,) announced, UTC ms."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.rows: dict[str, int] = {}
        self.available = np.zeros(_ROOM, np.bool_)
        self.since = np.zeros(_ROOM, np.int64)
        self.worth = np.zeros(_ROOM)

    def announce(self, item_id: str, ts: int, available: bool) -> None:
        row = self.row(item_id)
        self.available[row], self.since[row] = available, ts

    def row(self, item_id: str) -> int:
        if item_id not in self.rows:
            self.rows[item_id] = len(self.ids)
            self.ids.append(item_id)
            if len(self.ids) > len(self.worth):
                self.grow(2 * len(self.worth))
        return self.rows[item_id]

    def grow(self, capacity: int) -> None:
        more = capacity - len(self.worth)
        self.available = np.concatenate([self.available, np.zeros(more, np.bool_)])
        self.since = np.concatenate([self.since, np.zeros(more, np.int64)])
        self.worth = np.concatenate([self.worth, np.zeros(more)])

    def best(self, scores: NDArray[np.float64], wanted: Wanted) -> list[str]:
        """Of those that may be listed; of equals the one that came first."""
        open_ = self.available.copy()
        open_[[self.rows[one] for one in wanted.left_out if one in self.rows]] = False
        order = np.argsort(np.where(open_, -scores, np.inf), kind="stable")[: wanted.k]
        return [self.ids[row] for row in order if open_[row]]


class Popular(_Shelf):
    """What had the most events within the last `window_ms`."""

    def __init__(self, window_ms: int) -> None:
        super().__init__()
        self._window_ms = window_ms
        self._seen: deque[tuple[int, int]] = deque()

    def see(self, user: str, item_id: str, ts: int) -> None:
        row = self.row(item_id)
        self._seen.append((ts, row))
        self.worth[row] += 1.0

    def list(self, wanted: Wanted) -> list[str]:
        while self._seen and self._seen[0][0] < wanted.at - self._window_ms:
            self.worth[self._seen.popleft()[1]] -= 1.0
        return self.best(self.worth, wanted)


class Newest(_Shelf):
    """What was announced last."""

    def see(self, user: str, item_id: str, ts: int) -> None:
        self.row(item_id)

    def list(self, wanted: Wanted) -> list[str]:
        return self.best(self.since.astype(np.float64), wanted)


class ItemKNN(_Shelf):
    """Items by cosine to the last that the user had, counted as they come; of those that are like
    none, the popular ones first.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pairs = np.zeros((_ROOM, _ROOM), np.float32)
        self._had: defaultdict[str, dict[int, None]] = defaultdict(dict)

    def grow(self, capacity: int) -> None:
        """Also of the pairs."""
        more = capacity - len(self.worth)
        super().grow(capacity)
        self._pairs = np.pad(self._pairs, (0, more))

    def see(self, user: str, item_id: str, ts: int) -> None:
        row, had = self.row(item_id), self._had[user]
        if row in had:
            return
        before = list(had)
        self._pairs[row, before] += 1.0
        self._pairs[before, row] += 1.0
        self.worth[row] += 1.0
        had[row] = None

    def list(self, wanted: Wanted) -> list[str]:
        last = [self.rows[one] for one in wanted.history[:_LAST] if one in self.rows]
        last = [row for row in last if self.worth[row] > 0.0]
        norms = np.sqrt(np.maximum(self.worth, 1.0))
        likeness = (self._pairs[last] / norms[last, None]).sum(axis=0) / norms
        popular = self.worth / (1.0 + self.worth.max(initial=0.0))
        return self.best(likeness + 1e-6 * popular, wanted)


class FavouritesFirst(_Shelf):
    """What the user took the most, lately counting more; then what all took."""

    def __init__(self) -> None:
        super().__init__()
        self._own: defaultdict[str, dict[int, float]] = defaultdict(dict)

    def see(self, user: str, item_id: str, ts: int) -> None:
        row, own = self.row(item_id), self._own[user]
        self.worth[row] += 1.0
        for other in own:
            own[other] *= _FADE
        own[row] = own.get(row, 0.0) + 1.0

    def list(self, wanted: Wanted) -> list[str]:
        scores = self.worth / (1.0 + self.worth.max(initial=0.0))
        for row, worth in self._own.get(wanted.user, {}).items():
            scores[row] += 1.0 + worth
        return self.best(scores, wanted)
