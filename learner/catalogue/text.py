"""The nearest text neighbours of every item, kept exact as items arrive, by blocked matrix
products. It knows nothing about events.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel

__all__ = ["NEAREST", "TextGraph", "TextNeighbours"]

NEIGHBOURS = 100
NEAREST = 20
_BLOCK = 256


class TextNeighbours(NamedTuple):
    """ids, similarities: (N, 100), most similar first, the first `sizes[row]` hold. Similarities
    are above zero.
    """

    ids: NDArray[np.int32]
    similarities: NDArray[np.float32]
    sizes: NDArray[np.int32]


@kernel
def insert(graph: TextNeighbours, row: int, other: int, similarity: float) -> None:
    """Puts `other` at its place in the list of `row`; the least similar falls out of a full one."""
    ids, similarities = graph.ids[row], graph.similarities[row]
    size = graph.sizes[row]
    if size == len(ids):
        if similarity <= similarities[size - 1]:
            return
        place = size - 1
    else:
        place = size
        graph.sizes[row] = size + 1
    while place > 0 and similarities[place - 1] < similarity:
        similarities[place] = similarities[place - 1]
        ids[place] = ids[place - 1]
        place -= 1
    similarities[place] = similarity
    ids[place] = other


@kernel
def remove(graph: TextNeighbours, row: int, other: int) -> None:
    """Takes `other` out of the list of `row`."""
    size = graph.sizes[row]
    for place in range(size):
        if graph.ids[row, place] == other:
            for later in range(place, size - 1):
                graph.ids[row, later] = graph.ids[row, later + 1]
                graph.similarities[row, later] = graph.similarities[row, later + 1]
            graph.sizes[row] = size - 1
            return


@kernel
def link(
    graph: TextNeighbours,
    rows: NDArray[np.int64],
    is_new: NDArray[np.bool_],
    product: NDArray[np.float32],
    least: NDArray[np.float32],
) -> None:
    """product: (b, n) similarities of `rows` to all. Fills the lists of `rows` and puts them into
    the lists of the others.

    least: (n,) what a similarity has to exceed to enter the list of an item.
    """
    full = graph.ids.shape[1]
    for position in range(len(rows)):
        row = rows[position]
        for other in range(product.shape[1]):
            similarity = product[position, other]
            if similarity <= least[row] and similarity <= least[other]:
                continue
            if other == row:
                continue
            if similarity > least[row]:
                insert(graph, row, other, similarity)
                if graph.sizes[row] == full:
                    least[row] = graph.similarities[row, full - 1]
            if similarity > least[other] and not is_new[other]:
                insert(graph, other, row, similarity)
                if graph.sizes[other] == full:
                    least[other] = graph.similarities[other, full - 1]


@kernel
def unlink(graph: TextNeighbours, row: int, rows: int) -> None:
    """Forgets a row whose vector is replaced."""
    graph.sizes[row] = 0
    for other in range(rows):
        remove(graph, other, row)


class TextGraph:
    """Owns the vectors (N, d) and the neighbour lists of all rows; a row without vector (zero) has
    no neighbours.
    """

    def __init__(self, dimension: int) -> None:
        self.vectors = np.zeros((0, dimension), np.float32)
        self.filled = 0  # no row from here on has a vector
        self.state = TextNeighbours(
            np.zeros((0, NEIGHBOURS), np.int32),
            np.zeros((0, NEIGHBOURS), np.float32),
            np.zeros(0, np.int32),
        )

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        self.vectors = grown(self.vectors, capacity)
        self.state = TextNeighbours(*(grown(array, capacity) for array in self.state))

    def put(self, rows: NDArray[np.int64], vectors: NDArray[np.float32], count: int) -> None:
        """Sets the vectors of distinct `rows`; `count` rows exist. Costs b·N·d multiplications for
        b new vectors.
        """
        for row in rows[np.any(self.vectors[rows] != 0.0, axis=1)]:
            unlink(self.state, int(row), count)
        self.vectors[rows] = 0.0
        full = self.state.sizes[:count] == NEIGHBOURS
        least = np.where(full, self.state.similarities[:count, -1], np.float32(0.0))
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            self.vectors[block] = vectors[start : start + _BLOCK]
            self.filled = max(self.filled, int(block.max()) + 1)
            is_new = np.zeros(count, np.bool_)
            is_new[block] = True
            product = self.vectors[block] @ self.vectors[: self.filled].T  # (b, n)
            product[:, block] = np.maximum(
                product[:, block], product[:, block].T
            )  # rounded alike in both directions, on every processor
            link(self.state, block, is_new, product, least)
