"""The nearest text neighbours of every item. Up to `exact` texts they are kept exact as texts come
and change, each compared with all others; beyond, with those that a search finds. It knows nothing
about events.

A product is summed by a loop of our own, so a similarity has the same bits whichever items came
together: BLAS sums one place of a matrix in another order than the next on some processors, and is
no faster at so few rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel
from learner.catalogue.nearest.cells import CellTable
from learner.catalogue.nearest.codes import Codes, no_codes
from learner.catalogue.nearest.join import fill, join
from learner.catalogue.nearest.lists import (
    NEAREST,
    NEIGHBOURS,
    RESERVE,
    Known,
    TextNeighbours,
    bound,
    insert,
)
from learner.catalogue.nearest.products import row_by_row
from learner.catalogue.nearest.walk import Steps, empty_trail, widened

__all__ = ["EXACT", "NEAREST", "NEIGHBOURS", "TextGraph", "TextNeighbours"]

EXACT = 50_000
"""Texts up to which each is compared with all others (docs/decisions/0033)."""
_SIDE = 16  # rows that are compared with all others at a time
_TILE = 2048  # of the others that are linked at a time
_CHUNK = 64  # texts that are joined in one call


@kernel
def link(
    graph: TextNeighbours,
    known: Known,
    rows: NDArray[np.int64],
    first: int,
    product: NDArray[np.float32],
    others: NDArray[np.bool_],
) -> None:
    """product: (b, n) similarities of `rows` to the n rows from `first` on. Fills the lists of
    `rows`, and puts them into the lists of those that are true in `others` (N,).
    """
    least = known.least  # a local array: the compiler counts references to those in tuples
    for position in range(len(rows)):
        row = rows[position]
        for column in range(product.shape[1]):
            other, similarity = first + column, product[position, column]
            if similarity <= least[row] and similarity <= least[other]:
                continue
            if similarity > least[row] and other != row:
                insert(graph, known, row, other, similarity)
            if similarity > least[other] and others[other]:
                insert(graph, known, other, row, similarity)


@kernel
def unlink(graph: TextNeighbours, known: Known, gone: NDArray[np.bool_], rows: int) -> None:
    """Empties the lists of the rows that are true in `gone` (N,), and takes these out of all
    others.
    """
    for row in range(rows):
        ids, similarities = graph.ids[row], graph.similarities[row]
        kept = 0
        if not gone[row]:
            for place in range(known.held[row]):
                if not gone[ids[place]]:
                    ids[kept], similarities[kept] = ids[place], similarities[place]
                    kept += 1
                elif place < NEAREST:
                    known.moved[row] = True
        if kept != known.held[row]:
            known.held[row] = kept
            known.whole[row] |= gone[row]
            bound(graph, known, row)


class TextGraph:
    """Owns the vectors (N, d) and the neighbour lists of all rows; a row without vector (zero) has
    no neighbours. exact: texts up to which the lists are exact.
    """

    def __init__(self, dimension: int, exact: int = EXACT) -> None:
        self.vectors = np.zeros((0, dimension), np.float32)
        self.exact = exact
        self.texts = 0  # rows that have a vector
        self.filled = 0  # no row from here on has one
        self.cells = CellTable(dimension)
        self.codes = no_codes(dimension)  # only where it is large
        self.trail = empty_trail(dimension)
        self._turn = np.zeros(2, np.int64)
        self._touched = False
        wide = (0, NEIGHBOURS + RESERVE)
        self.state = TextNeighbours(
            np.zeros(wide, np.int32), np.zeros(wide, np.float32), np.zeros(0, np.int32)
        )
        self._known = Known(
            np.zeros(0, np.int32),
            np.zeros(0, np.bool_),
            np.zeros(0, np.float32),
            np.zeros(0, np.bool_),
        )

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        before = len(self.vectors)
        self.vectors = grown(self.vectors, capacity)
        self.state = TextNeighbours(*(grown(array, capacity) for array in self.state))
        self._known = Known(*(grown(array, capacity) for array in self._known))
        self._known.whole[before:] = True

    @property
    def large(self) -> bool:
        """More texts than are compared with all others: what is near is found by a search."""
        return self.texts > self.exact

    @property
    def steps(self) -> Steps:
        """What a search moves on where it is large; valid until the next `put` or `grow`."""
        return Steps(self.vectors, self.codes, self.cells.state, self.state.ids, self.state.sizes)

    def put(self, rows: NDArray[np.int64], vectors: NDArray[np.float32], count: int) -> None:
        """Sets the vectors of distinct `rows`; `count` rows exist.

        Costs b·N·d multiplications for b new vectors, and about five times as
        much for b replaced ones: each leaves about 128 lists, and one is found anew once it has
        lost 28. Where it is large, some thousands of products for each, however many rows exist.
        """
        self._touched = True
        fresh = ~np.any(self.vectors[rows] != 0.0, axis=1)
        total = self.texts + np.cumsum(fresh)
        exactly = 0 if self.large else int(np.searchsorted(total, self.exact, side="right"))
        self._put_exactly(rows[:exactly], vectors[:exactly], count)
        if exactly < len(rows):
            if not self.large:
                self._fill_cells()
            self._put_among_cells(rows[exactly:], vectors[exactly:])
        self.texts += int(fresh.sum())

    def _put_exactly(
        self, rows: NDArray[np.int64], vectors: NDArray[np.float32], count: int
    ) -> None:
        changed = np.any(self.vectors[rows] != 0.0, axis=1)
        if changed.any():
            gone = np.zeros(len(self.vectors), np.bool_)
            gone[rows[changed]] = True
            unlink(self.state, self._known, gone, count)
        self.vectors[rows] = 0.0
        for start in range(0, len(rows), _SIDE):
            block = rows[start : start + _SIDE]
            self.vectors[block] = vectors[start : start + _SIDE]
            self.filled = max(self.filled, int(block.max()) + 1)
            others = np.ones(len(self.vectors), np.bool_)
            others[block] = False
            self._link(block, others)
        if changed.any():
            self._renew(count)

    def take_moved(self) -> NDArray[np.int64]:
        """The rows whose first 20 neighbours changed since the last call."""
        if not self._touched:
            return np.zeros(0, np.int64)
        self._touched = False
        rows = np.flatnonzero(self._known.moved)
        self._known.moved[rows] = False
        return rows

    def _fill_cells(self) -> None:
        """From here on it is large: what has a vector gets a cell, in the order of the rows."""
        self._widen()
        for start in range(0, self.filled, _CHUNK):
            self.cells.grow(len(self.vectors), _CHUNK)
            end = min(start + _CHUNK, self.filled)
            fill(self.steps, self.state, self._known, start, end)

    def _widen(self) -> None:
        self.trail = widened(self.trail, len(self.vectors))
        self.codes = Codes(*(grown(array, len(self.vectors)) for array in self.codes))

    def _put_among_cells(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """One after the other: in what batches they came makes no difference."""
        self._widen()
        self._turn[1] = self.filled
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]
            self.cells.grow(len(self.vectors), _CHUNK)
            join(
                self.steps,
                self.trail,
                self.state,
                self._known,
                some,
                np.ascontiguousarray(vectors[start : start + _CHUNK], np.float32),
                self._turn,
            )
        self.filled = int(self._turn[1])

    def _renew(self, count: int) -> None:
        """Finds the lists anew that lost too much."""
        known, nobody = self._known, np.zeros(len(self.vectors), np.bool_)
        short = np.flatnonzero(~known.whole[:count] & (known.held[:count] < NEIGHBOURS))
        known.held[short], known.whole[short], known.least[short] = 0, True, 0.0
        for start in range(0, len(short), _SIDE):
            self._link(short[start : start + _SIDE], nobody)

    def _link(self, block: NDArray[np.int64], others: NDArray[np.bool_]) -> None:
        """The products of at most 16 rows with all."""
        left, places = self.vectors[block], np.arange(len(block))
        for first in range(0, self.filled, _TILE):
            right = self.vectors[first : min(first + _TILE, self.filled)]
            product = np.empty((len(block), len(right)), np.float32)
            row_by_row(left, right, places, product)
            link(self.state, self._known, block, first, product, others)
