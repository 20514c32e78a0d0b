"""The nearest text neighbours of every item, kept exact as texts come and change, by blocked matrix
products. It knows nothing about events.

A list keeps a few more neighbours than are read. So it bears some losses (an item's text is
replaced) before it is found anew, and a replaced text costs a few more products, not a hundred. All
products have one shape, so a similarity has the same bits whichever items came together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel

__all__ = ["NEAREST", "NEIGHBOURS", "TextGraph", "TextNeighbours"]

NEIGHBOURS = 100
NEAREST = 20
_RESERVE = 28
_SIDE = 16
"""Rows and columns of every product: a multiple of what any processor's kernel computes at a time,
and so small that BLAS leaves it to one thread (up to 1,024 dimensions): waiting for a second one
took ten times as long on a busy machine.
"""
_TILE = 128 * _SIDE  # columns that are linked at a time


class TextNeighbours(NamedTuple):
    """ids, similarities: (N, 128), most similar first, the first `sizes[row]` (at most 100) are the
    neighbours. Similarities are above zero.
    """

    ids: NDArray[np.int32]
    similarities: NDArray[np.float32]
    sizes: NDArray[np.int32]


class _Known(NamedTuple):
    """held: (N,) so many of a list are its most similar items, one after the other. whole: (N,) and
    there are no more. least: (N,) what a similarity has to exceed to have its place among them.
    moved: (N,) the first 20 changed since the last `take_moved`.
    """

    held: NDArray[np.int32]
    whole: NDArray[np.bool_]
    least: NDArray[np.float32]
    moved: NDArray[np.bool_]


@kernel
def _bound(graph: TextNeighbours, known: _Known, row: int) -> None:
    held = known.held[row]
    graph.sizes[row] = min(held, NEIGHBOURS)
    if known.whole[row]:
        known.least[row] = 0.0
    else:
        known.least[row] = graph.similarities[row, held - 1] if held else np.inf


@kernel
def insert(graph: TextNeighbours, known: _Known, row: int, other: int, similarity: float) -> None:
    """Puts `other`, more similar than `least`, at its place in the list of `row`; the least similar
    falls out of a full one.
    """
    ids, similarities = graph.ids[row], graph.similarities[row]
    place = known.held[row]
    if place == len(ids):
        place -= 1
    else:
        known.held[row] = place + 1
        if place + 1 == len(ids):
            known.whole[row] = False
    while place > 0 and similarities[place - 1] < similarity:
        similarities[place] = similarities[place - 1]
        ids[place] = ids[place - 1]
        place -= 1
    similarities[place] = similarity
    ids[place] = other
    if place < NEAREST:
        known.moved[row] = True
    _bound(graph, known, row)


@kernel
def link(
    graph: TextNeighbours,
    known: _Known,
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
def unlink(graph: TextNeighbours, known: _Known, gone: NDArray[np.bool_], rows: int) -> None:
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
            _bound(graph, known, row)


class TextGraph:
    """Owns the vectors (N, d) and the neighbour lists of all rows; a row without vector (zero) has
    no neighbours.
    """

    def __init__(self, dimension: int) -> None:
        self.vectors = np.zeros((0, dimension), np.float32)
        self.filled = 0  # no row from here on has a vector
        wide = (0, NEIGHBOURS + _RESERVE)
        self.state = TextNeighbours(
            np.zeros(wide, np.int32), np.zeros(wide, np.float32), np.zeros(0, np.int32)
        )
        self._known = _Known(
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
        self._known = _Known(*(grown(array, capacity) for array in self._known))
        self._known.whole[before:] = True

    def put(self, rows: NDArray[np.int64], vectors: NDArray[np.float32], count: int) -> None:
        """Sets the vectors of distinct `rows`; `count` rows exist.

        Costs b·N·d multiplications for b new vectors (b rounded up to 16), and about five times as
        much for b replaced ones: each leaves about 128 lists, and one is found anew once it has
        lost 28.
        """
        replaced = np.any(self.vectors[rows] != 0.0, axis=1)
        if replaced.any():
            gone = np.zeros(len(self.vectors), np.bool_)
            gone[rows[replaced]] = True
            unlink(self.state, self._known, gone, count)
        self.vectors[rows] = 0.0
        for start in range(0, len(rows), _SIDE):
            block = rows[start : start + _SIDE]
            self.vectors[block] = vectors[start : start + _SIDE]
            self.filled = max(self.filled, int(block.max()) + 1)
            others = np.ones(len(self.vectors), np.bool_)
            others[block] = False
            self._link(block, others)
        if replaced.any():
            self._renew(count)

    def take_moved(self) -> NDArray[np.int64]:
        """The rows whose first 20 neighbours changed since the last call."""
        rows = np.flatnonzero(self._known.moved)
        self._known.moved[rows] = False
        return rows

    def _renew(self, count: int) -> None:
        """Finds the lists anew that lost too much."""
        known, nobody = self._known, np.zeros(len(self.vectors), np.bool_)
        short = np.flatnonzero(~known.whole[:count] & (known.held[:count] < NEIGHBOURS))
        known.held[short], known.whole[short], known.least[short] = 0, True, 0.0
        for start in range(0, len(short), _SIDE):
            self._link(short[start : start + _SIDE], nobody)

    def _link(self, block: NDArray[np.int64], others: NDArray[np.bool_]) -> None:
        """The products of at most 16 rows with all, in one shape: zeros fill it up."""
        dimension = self.vectors.shape[1]
        left = np.zeros((_SIDE, dimension), np.float32)
        left[: len(block)] = self.vectors[block]
        for first in range(0, self.filled, _TILE):
            right = self.vectors[first : first + _TILE]
            count = len(right)
            right = grown(right, _TILE).reshape(-1, _SIDE, dimension)  # (t, 16, d)
            product = (left @ right.transpose(0, 2, 1)).transpose(1, 0, 2)  # (16, t, 16)
            product = product.reshape(_SIDE, _TILE)[: len(block), :count]  # (b, n)
            link(self.state, self._known, block, first, product, others)
