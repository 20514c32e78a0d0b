"""From which item users went to which, among items that are known to be met by many: sums over
users, and what is told of them under noise. It knows nothing about examples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.private.continual import Noise, roots
from learner.private.plan import Plan

__all__ = ["CERTAIN", "DECAY", "ITEMS", "WINDOW", "Moves"]

ITEMS = 256
"""Among which moves are counted: those that were told first to be met by many."""
WINDOW, DECAY = 3, 0.5
"""Of the items before an event so many count, each half as much as the one after it."""
CERTAIN = 2.5
"""Deviations of its noise that a sum must have, else it is told as 0."""
_LENGTH = math.sqrt(sum(DECAY ** (2 * place) for place in range(WINDOW)))


class Moves:
    """rows: of the items among which is counted, in the order in which they were told."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self._place: dict[int, int] = {}
        self._sums = np.zeros((ITEMS, ITEMS))

    def count(self, row: int, before: Sequence[int]) -> None:
        """A user came to the item, who never had it, from those `before`, newest first."""
        to = self._place.get(row)
        if to is None:
            return
        for place, other in enumerate(before[:WINDOW]):
            start = self._place.get(other)
            if start is not None and start != to:
                self._sums[start, to] += DECAY**place

    def know(self, rows: Sequence[int]) -> None:
        """These, best first, were told to be met by many."""
        for row in rows[: ITEMS - len(self.rows)]:
            if row not in self._place:
                self._place[row] = len(self.rows)
                self.rows.append(row)

    def tell(self, plan: Plan, secret: bytes, generation: int, epoch: int) -> NDArray[np.float32]:
        """(k, k) people who went from an item to another, of the k known ones."""
        unit = _LENGTH * math.sqrt(plan.events) * plan.sigma("moves")
        spread = math.sqrt(float(np.square(roots(epoch + 1)).sum()))
        noise = Noise(secret, "moves", generation).of(epoch, 1, ITEMS * ITEMS)
        told = self._sums + unit * noise.reshape(ITEMS, ITEMS)
        told = np.where(told >= CERTAIN * unit * spread, told, 0.0)
        count = len(self.rows)
        return told[:count, :count].astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        return {"rows": np.array(self.rows, np.int32), "sums": self._sums.copy()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse."""
        self.rows = arrays["rows"].tolist()
        self._place = {row: place for place, row in enumerate(self.rows)}
        self._sums = np.array(arrays["sums"])
