"""What all fused models of a process read of the items: text vectors, which are announced, how many
events each has had. One table for all of them, since these are no parameters.

It knows nothing about item ids or weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, room
from upwell.errors import ModelError

__all__ = ["ItemTable"]

_NONE = np.zeros(0, np.int64)


class ItemTable:
    """size: rows there are. vectors: (capacity, d) float32, the owner's array, only read here; a
    row of zeros is an item that is not announced yet. announced: (capacity,). events: (capacity,)
    float32. stamps: (capacity,) the value of `clock` at the row's last change. large: too many to
    keep what a model makes of each of them.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.size = 0
        self.clock = 0
        self.large = False
        self.vectors = np.zeros((0, dimension), np.float32)
        self.announced = np.zeros(0, np.bool_)
        self.events = np.zeros(0, np.float32)
        self.stamps = np.zeros(0, np.int64)

    def refer(
        self, vectors: NDArray[np.float32], size: int, rows: NDArray[np.int64] = _NONE
    ) -> None:
        """Reads `vectors` (at least size, d) from now on; those of `rows` are new.

        Raises `ModelError` where they do not fit or are not finite.
        """
        if vectors.shape[1:] != (self.dimension,) or not np.isfinite(vectors[rows]).all():
            raise ModelError(
                f"text vectors are of shape {vectors.shape} or not finite, expected "
                f"{self.dimension} columns: encode the catalogue anew"
            )
        appended = np.arange(self.size, size)
        self.vectors, self.size = vectors, size
        self._grow()
        self.announced[rows] = vectors[rows].any(axis=1)
        self._touch(appended)
        self._touch(rows)

    def count(self, rows: NDArray[np.int32]) -> None:
        """One more event on each of `rows` (repeats count)."""
        np.add.at(self.events, rows, 1.0)
        self._touch(rows)

    def forget(self, rows: NDArray[np.int64]) -> None:
        """No event was on them."""
        self.events[rows] = 0.0
        self._touch(rows)

    def restore(self, events: NDArray[np.float32]) -> None:
        """The events of the first rows, as `events[:size]` gave them; of all others none."""
        self.size = max(self.size, len(events))
        self._grow()
        self.events[...] = 0.0
        self.events[: len(events)] = events
        self._touch(np.arange(self.size))

    def _grow(self) -> None:
        capacity = room(max(self.size, len(self.vectors)), len(self.events))
        self.announced = grown(self.announced, capacity)
        self.events = grown(self.events, capacity)
        self.stamps = grown(self.stamps, capacity)

    def _touch(self, rows: NDArray[np.int64] | NDArray[np.int32]) -> None:
        if len(rows):
            self.clock += 1
            self.stamps[rows] = self.clock
