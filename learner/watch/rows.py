"""Posts with their vectors, bounded: an even sample of a window, or the newest so many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Row", "Rows"]


@dataclass(slots=True)
class Row:
    """A post that counts. key: of its id. topic: its number, 0 in none. mood: None where it was
    not told. early: whether it came before what is tested now. words: that a name may be made of.
    """

    key: int
    post_id: str
    text: str
    by: str
    ts: int
    topic: int = 0
    mood: float | None = None
    early: bool = False
    words: frozenset[str] = frozenset()


class Rows:
    """rows, vectors: (capacity, D), the first `len(rows)` in use, oldest arrival first.

    even: where they are too many, every second one goes by its key, and of what comes from there on
    every second one is taken: an even sample, the same whoever draws it. Else the oldest goes.
    """

    def __init__(self, dimension: int, capacity: int, even: bool) -> None:
        self.rows: list[Row] = []
        self.vectors = np.zeros((capacity, dimension), np.float32)
        self.even = even
        self.stride = 1

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def used(self) -> NDArray[np.float32]:
        """(n, D)."""
        return self.vectors[: len(self.rows)]

    def add(self, row: Row, vector: NDArray[np.float32]) -> None:
        """One more, if it is drawn. vector: (D,)."""
        if row.key % self.stride:
            return
        if len(self.rows) == len(self.vectors):
            self._make_room()
            if row.key % self.stride:
                return
        self.vectors[len(self.rows)] = vector
        self.rows.append(row)

    def keep(self, kept: Callable[[Row], bool]) -> int:
        """Drops the others; how many there were."""
        places = [place for place, one in enumerate(self.rows) if kept(one)]
        gone = len(self.rows) - len(places)
        if gone:
            self._keep(places)
        return gone

    def widen(self) -> None:
        """Draws twice as many from here on, where there is ample room."""
        if self.stride > 1 and len(self.rows) < len(self.vectors) // 4:
            self.stride //= 2

    def _make_room(self) -> None:
        if not self.even:
            self._keep(list(range(max(1, len(self.rows) // 8), len(self.rows))))
            return
        while len(self.rows) == len(self.vectors):
            self.stride *= 2
            self._keep([at for at, one in enumerate(self.rows) if one.key % self.stride == 0])

    def _keep(self, places: list[int]) -> None:
        self.vectors[: len(places)] = self.vectors[places]
        self.rows = [self.rows[place] for place in places]
