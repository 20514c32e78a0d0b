"""A text joins a catalogue that is too large to compare it with all others: it is compared with
what a search for it finds, and both lists take the other in.

Who came long ago would miss those who came later and are not near them by their own lists, so with
each new text one older item looks again along its list. It knows nothing about events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.cells import Cells, leave, settle
from learner.catalogue.kernel import kernel
from learner.catalogue.lists import NEIGHBOURS, Known, TextNeighbours, emptied, insert, take_out
from learner.catalogue.walk import FROM_CELLS, Steps, Trail, nearest, walk

__all__ = ["fill", "join"]

_FROM_CELLS = 512
"""Items of the nearest cells that a search for a text looks at, at least."""
_TURNS = 2
"""Older items that look again with each new text: each has its turn while the catalogue grows by
half.
"""
_ROUNDING = 1e-5


@kernel
def fill(cells: Cells, vectors: NDArray[np.float32], start: int, end: int) -> None:
    """Gives cells to those of the rows from `start` to `end` that have a vector."""
    for row in range(start, end):
        if np.any(vectors[row] != 0.0):
            settle(cells, vectors, row)


@kernel
def _offer(graph: TextNeighbours, known: Known, row: int, other: int, similarity: float) -> None:
    take_out(graph, known, row, other)  # where its text changed and this list was not found
    if similarity > known.least[row]:
        insert(graph, known, row, other, similarity)


@kernel
def _offer_all(trail: Trail, graph: TextNeighbours, known: Known, row: int) -> None:
    """What was looked at, to the row, and the other way round."""
    least, rows, similarities = known.least, trail.rows, trail.similarities
    for place in range(trail.seen[0]):
        other, similarity = rows[place], similarities[place]
        if other != row:
            if similarity > least[row]:
                _offer(graph, known, row, other, similarity)
            if similarity > least[other]:
                _offer(graph, known, other, row, similarity)


@kernel
def _part(steps: Steps, trail: Trail, graph: TextNeighbours, known: Known, row: int) -> None:
    """Takes a row out of its cell and of the lists around its text, before that changes; lists that
    became too short look along what is left of them.
    """
    nearest(steps, trail, steps.vectors[row], FROM_CELLS)
    short, count = np.zeros(trail.seen[0], np.int32), 0
    for place in range(trail.seen[0]):
        other, held = trail.rows[place], known.held[trail.rows[place]]
        if other == row or held == 0:
            continue
        if trail.similarities[place] < graph.similarities[other, held - 1] - _ROUNDING:
            continue
        shrunk = take_out(graph, known, other, row)
        if shrunk and known.held[other] < NEIGHBOURS and not known.whole[other]:
            short[count] = other
            count += 1
    emptied(graph, known, row)
    leave(steps.cells, row)
    for other in short[:count]:
        walk(steps, trail, other)
        emptied(graph, known, other)
        _offer_all(trail, graph, known, other)


@kernel
def _look_again(
    steps: Steps,
    trail: Trail,
    graph: TextNeighbours,
    known: Known,
    turn: NDArray[np.int64],
) -> None:
    turn[0] = (turn[0] + 1) % turn[1]
    if steps.cells.home[turn[0]] > 0:
        walk(steps, trail, turn[0])
        _offer_all(trail, graph, known, turn[0])


@kernel
def join(
    steps: Steps,
    trail: Trail,
    graph: TextNeighbours,
    known: Known,
    some: NDArray[np.int64],
    vectors: NDArray[np.float32],
    turn: NDArray[np.int64],
) -> None:
    """Sets the vectors (n, d) of `some` (n,) rows, one after the other. turn: (2,) whose turn it is
    to look again, and from which row on none has a vector.
    """
    for place in range(len(some)):
        row = some[place]
        turn[1] = max(turn[1], row + 1)
        if steps.cells.home[row] > 0:
            _part(steps, trail, graph, known, row)
        else:
            for _ in range(_TURNS):
                _look_again(steps, trail, graph, known, turn)
        steps.vectors[row] = vectors[place]
        if np.any(vectors[place] != 0.0):
            nearest(steps, trail, steps.vectors[row], _FROM_CELLS)
            _offer_all(trail, graph, known, row)
            settle(steps.cells, steps.vectors, row)
