"""An inverted file: items in cells of similar texts, each around its centre. A cell that is full is
split in two, so that the cells grow with the catalogue and nothing is ever trained anew (after
SPFresh, Xu et al. 2023).

It knows nothing about who is searched for, nor what an item's neighbours are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel, lent, room, summing
from learner.catalogue.nearest.codes import Codes, code, common, no_codes

__all__ = [
    "CELL",
    "CellTable",
    "Cells",
    "dot",
    "enter_best",
    "leave",
    "nearest_first",
    "settle",
    "settle_in",
]

CELL = 256
"""Items of a cell when it is split."""
_FIRST = 16  # cells that are looked for, unless told
_ROUNDS = 6
_LEAST_SHARE = 4  # of a split: neither half gets less than one in so many


class Cells(NamedTuple):
    """centres: (C, d) of unit length, the first `used[0]` hold. codes: theirs. members: (C, 256)
    rows, the first `sizes` (C,) hold. home: (N,) 1 + a row's cell, 0 where it has none.
    """

    centres: NDArray[np.float32]
    codes: Codes
    members: NDArray[np.int32]
    sizes: NDArray[np.int32]
    home: NDArray[np.int32]
    used: NDArray[np.int64]


@summing
def dot(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    """What two vectors have in common."""
    total = np.float32(0.0)
    for column in range(len(one)):
        total += one[column] * other[column]
    return total


@lent
def enter_best(
    rows: NDArray[np.int32],
    similarities: NDArray[np.float32],
    held: int,
    row: int,
    similarity: np.float32,
) -> int:
    """Puts a row at its place among the best, whose last falls out where they are full; how many
    there are.
    """
    place = held
    if held == len(rows):
        place -= 1
    else:
        held += 1
    while place > 0 and similarities[place - 1] < similarity:
        similarities[place], rows[place] = similarities[place - 1], rows[place - 1]
        place -= 1
    similarities[place], rows[place] = similarity, row
    return held


@kernel
def nearest_first(
    cells: Cells, vector: NDArray[np.float32], most: int = _FIRST
) -> NDArray[np.int32]:
    """The `most` cells of the most similar centres, the most similar first. Chosen by codes, put
    in order by vectors.
    """
    asked = np.empty(len(vector), np.int8)
    scale = code(vector, asked)
    used, numbers, scales = cells.used[0], cells.codes.numbers, cells.codes.scales
    best, similarities = np.empty(most, np.int32), np.empty(most, np.float32)
    held = 0
    for cell in range(used):
        own = np.float32(common(numbers, cell, asked)) * (scale * scales[cell])
        if held < most or own > similarities[held - 1]:
            held = enter_best(best, similarities, held, cell, own)
    count, held = held, 0
    for cell in best[:count].copy():
        held = enter_best(best, similarities, held, cell, dot(cells.centres[cell], vector))
    return best[:held]


@kernel
def settle(cells: Cells, vectors: NDArray[np.float32], row: int) -> None:
    """Puts a row that has no cell into that of the most similar centre; there must be room for one
    more cell.
    """
    if cells.used[0] == 0:
        cells.used[0] = 1
        cells.centres[0] = vectors[row]
        _coded(cells, 0)
    settle_in(cells, vectors, row, nearest_first(cells, vectors[row])[0])


@kernel
def settle_in(cells: Cells, vectors: NDArray[np.float32], row: int, cell: int) -> None:
    """Puts a row that has no cell into this one; there must be room for one more cell."""
    _enter(cells, row, cell)
    if cells.sizes[cell] == CELL:
        _split(cells, vectors, cell)


@lent
def leave(cells: Cells, row: int) -> None:
    """Takes a row out of its cell, if it has one; the last of the cell takes its place."""
    cell = cells.home[row] - 1
    if cell < 0:
        return
    place, last = 0, cells.sizes[cell] - 1
    while cells.members[cell, place] != row:
        place += 1
    cells.members[cell, place] = cells.members[cell, last]
    cells.sizes[cell] = last
    cells.home[row] = 0


@lent
def _enter(cells: Cells, row: int, cell: int) -> None:
    cells.members[cell, cells.sizes[cell]] = row
    cells.sizes[cell] += 1
    cells.home[row] = 1 + cell


@lent
def _coded(cells: Cells, cell: int) -> None:
    cells.codes.scales[cell] = code(cells.centres[cell], cells.codes.numbers[cell])


@kernel
def _farthest(
    vectors: NDArray[np.float32], rows: NDArray[np.int32], vector: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A copy of the vector that has the least in common."""
    found, least = rows[0], np.float32(np.inf)
    for row in rows:
        similarity = dot(vectors[row], vector)
        if similarity < least:
            found, least = row, similarity
    copied: NDArray[np.float32] = vectors[found].copy()
    return copied


@kernel
def _lengthened(vector: NDArray[np.float32]) -> None:
    """To unit length."""
    vector /= np.sqrt(dot(vector, vector)) + np.float32(1e-12)


@kernel
def _split(cells: Cells, vectors: NDArray[np.float32], cell: int) -> None:
    """Two means, begun at two members that are far apart; none gets less than a quarter."""
    rows = cells.members[cell, : cells.sizes[cell]].copy()
    one = _farthest(vectors, rows, cells.centres[cell])
    other = _farthest(vectors, rows, one)
    lead, least, share = np.zeros(len(rows), np.float32), len(rows) // _LEAST_SHARE, 0
    order = np.arange(len(rows))
    for _ in range(_ROUNDS):
        for place in range(len(rows)):
            lead[place] = dot(vectors[rows[place]], other) - dot(vectors[rows[place]], one)
        order = np.argsort(lead, kind="mergesort")
        share = min(max(int(np.sum(lead < 0.0)), least), len(rows) - least)
        one[:], other[:] = 0.0, 0.0
        for place in order[:share]:
            one += vectors[rows[place]]
        for place in order[share:]:
            other += vectors[rows[place]]
        _lengthened(one)
        _lengthened(other)
    new = cells.used[0]
    cells.used[0] = new + 1
    cells.centres[cell], cells.centres[new] = one, other
    _coded(cells, cell)
    _coded(cells, new)
    cells.sizes[cell] = 0
    for place in range(len(rows)):
        _enter(cells, rows[order[place]], cell if place < share else new)


class CellTable:
    """Owns the arrays."""

    def __init__(self, dimension: int) -> None:
        self.state = Cells(
            np.zeros((0, dimension), np.float32),
            no_codes(dimension),
            np.zeros((0, CELL), np.int32),
            np.zeros(0, np.int32),
            np.zeros(0, np.int32),
            np.zeros(1, np.int64),
        )

    def grow(self, rows: int, more: int) -> None:
        """Makes room for `rows` rows, and for `more` of them to be settled."""
        state = self.state
        capacity = room(int(state.used[0]) + 1 + more, len(state.sizes))
        self.state = Cells(
            grown(state.centres, capacity),
            Codes(*(grown(array, capacity) for array in state.codes)),
            grown(state.members, capacity),
            grown(state.sizes, capacity),
            grown(state.home, rows),
            state.used,
        )
