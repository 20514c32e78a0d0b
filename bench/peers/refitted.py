"""Peers that are fitted anew on all that came before every 5,000 events, with a parameter that each
refit chooses on what it has: fits on the first nine tenths of the events are scored on the last
tenth (NDCG@10 over all items, its newest 1,000 events at most), and the best one's parameter serves
for the fit on all. Nothing of the future is seen.

They know nothing of what is fitted. Every event counts, liked or not, as for the other peers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from scipy.sparse import csr_matrix

from bench.peers.baselines import Scores
from bench.peers.run import mean, mean_rank

__all__ = ["REFIT_EVERY", "Fitted", "Held", "Refitted", "TooManyItemsError", "best", "seen_matrix"]

REFIT_EVERY = 5_000
MOST_HELD = 1_000

P = TypeVar("P")
Pair = tuple[int, int]
"""A user's number and an item's row."""


class TooManyItemsError(Exception):
    """What is too large to be solved here, in a sentence."""


class Fitted(Protocol):
    """`score` gives (N,) for a user who had these rows."""

    def score(self, rows: Sequence[int]) -> Scores: ...


@dataclass(frozen=True)
class Held:
    """A held-out event: what its user had before, and the row that they took."""

    rows: Sequence[int]
    target: int


class Refitted(Generic[P]):
    """fit: of (U, N) zeros and ones, and a parameter out of `grid`. Where it raises
    `TooManyItemsError`, that is printed, and the fit of before stays.
    """

    def __init__(
        self, name: str, items: int, fit: Callable[[Any, P], Fitted], grid: Sequence[P]
    ) -> None:
        self._name = name
        self._items = items
        self._fit = fit
        self._grid = grid
        self._users: dict[str, int] = {}
        self._pairs: list[Pair] = []
        self._model: Fitted | None = None

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        if self._model is None or not rows:
            return np.zeros(self._items, np.float32)
        return self._model.score(rows)

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        self._pairs.append((self._users.setdefault(user, len(self._users)), row))
        if len(self._pairs) % REFIT_EVERY == 0:
            started = time.perf_counter()
            try:
                chosen = self._refit()
            except TooManyItemsError as exc:
                chosen = f"not fitted: {exc}"
            seconds = time.perf_counter() - started
            print(
                f"{self._name}: {len(self._pairs):,} events, {chosen}, {seconds:.0f} s",
                file=sys.stderr,
            )

    def _refit(self) -> str:
        earlier, held = split(self._pairs)
        known = seen_matrix(earlier, self._items)
        chosen = best(lambda one: self._fit(known, one), self._grid, held)
        self._model = self._fit(seen_matrix(self._pairs, self._items), chosen)
        return str(chosen)


def split(pairs: Sequence[Pair]) -> tuple[Sequence[Pair], list[Held]]:
    """The first nine tenths, and the newest events of the last tenth on items that their users had
    not had.
    """
    cut = len(pairs) * 9 // 10
    histories: dict[int, list[int]] = {}
    held: list[Held] = []
    for number, (user, row) in enumerate(pairs):
        rows = histories.setdefault(user, [])
        if number >= cut and row not in rows:
            held.append(Held(tuple(rows), row))
        rows.append(row)
    return pairs[:cut], held[-MOST_HELD:]


def best(fit: Callable[[P], Fitted], grid: Sequence[P], held: Sequence[Held]) -> P:
    """The parameter whose fit has the highest NDCG@10 of held-out events; of equals the first."""
    return max(grid, key=lambda one: _ndcg10(fit(one), held))


def _ndcg10(model: Fitted, held: Sequence[Held]) -> float:
    gains = []
    for one in held:
        scores = model.score(one.rows)
        candidates = np.ones(len(scores), dtype=bool)
        candidates[list(one.rows)] = False
        rank = mean_rank(scores, one.target, candidates)
        gains.append(1.0 / np.log2(1.0 + rank) if rank <= 10 else 0.0)
    return mean(gains)


def seen_matrix(pairs: Sequence[Pair], items: int) -> Any:
    """(U, N) in float32: 1 where a user had an item, repeats count once."""
    users, rows = np.array(pairs).T
    seen = csr_matrix((np.ones(len(pairs), np.float32), (users, rows)), (users.max() + 1, items))
    seen.sum_duplicates()
    seen.data[:] = 1.0
    return seen
