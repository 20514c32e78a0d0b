"""A text joins a catalogue that is too large to compare it with all others: it is compared with
what a search for it finds, and both lists take the other in.

Who came long ago would miss those who came later and are not near them by their own lists, so with
each new text some older items look again along their lists. It knows nothing about events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel, lent
from learner.catalogue.nearest.cells import dot, leave, settle, settle_in
from learner.catalogue.nearest.codes import SLACK, code, prefetch
from learner.catalogue.nearest.lists import (
    NEIGHBOURS,
    Known,
    TextNeighbours,
    bound,
    emptied,
    insert,
    place_of,
    take_out,
)
from learner.catalogue.nearest.walk import FROM_CELLS, Steps, Trail, nearest, walk

__all__ = ["fill", "join"]

_FROM_CELLS = 1024
"""Items of the nearest cells that a search for a text looks at, at least."""
_TURNS = 12
"""Older items that look again with each new text: each has its turn while the catalogue grows by a
twelfth.
"""
_AHEAD = 16  # bounds that are fetched before they are read
_AGAIN = 32
"""Items that each of them goes on from. Many short looks find more than a few that end where
nothing nearer is left, and take less time (docs/decisions/0033).
"""


@lent
def _compared_anew(
    graph: TextNeighbours, known: Known, vectors: NDArray[np.float32], row: int
) -> None:
    """The list of a row with similarities as they are computed from now on: a product of matrices
    gives others in the last bit, by who came together.
    """
    ids, similarities = graph.ids[row], graph.similarities[row]
    for place in range(known.held[row]):
        other = ids[place]
        similarity = dot(vectors[row], vectors[other])
        while place > 0 and similarities[place - 1] < similarity:
            similarities[place], ids[place] = similarities[place - 1], ids[place - 1]
            place -= 1
        similarities[place], ids[place] = similarity, other
    bound(graph, known, row)


@kernel
def fill(steps: Steps, graph: TextNeighbours, known: Known, start: int, end: int) -> None:
    """Gives codes and cells to those of the rows from `start` to `end` that have a vector."""
    for row in range(start, end):
        steps.codes.scales[row] = code(steps.vectors[row], steps.codes.numbers[row])
        if np.any(steps.vectors[row] != 0.0):
            settle(steps.cells, steps.vectors, row)
            _compared_anew(graph, known, steps.vectors, row)


@lent
def _offer(
    steps: Steps, graph: TextNeighbours, known: Known, row: int, other: int, changed: bool
) -> None:
    """Puts `other` at its place in the list of `row`, unless it has it. changed: one of the texts,
    so that it may have it at another place.
    """
    if changed:
        take_out(graph, known, row, other)
    elif place_of(graph, known, row, other) >= 0:
        return
    similarity = dot(steps.vectors[row], steps.vectors[other])
    if similarity > known.least[row]:
        insert(graph, known, row, other, similarity)


@lent
def _who_may_take(
    trail: Trail, graph: TextNeighbours, known: Known, row: int, slack: np.float32
) -> int:
    """Moves those of whom codes say that their list may take `row`, to the front of the trail; how
    many they are.
    """
    least, rows, similarities = known.least, trail.rows, trail.similarities
    count, seen = 0, trail.seen[0]
    for place in range(seen):
        if place + _AHEAD < seen:
            prefetch(least, rows[place + _AHEAD])
        other = rows[place]
        if similarities[place] + slack > least[other] and other != row:
            prefetch(known.held, other)
            prefetch(graph.ids, other)
            rows[place], rows[count] = rows[count], other
            count += 1
    return count


@lent
def _offer_all(
    steps: Steps,
    trail: Trail,
    graph: TextNeighbours,
    known: Known,
    row: int,
    changed: bool = False,
) -> None:
    """What was looked at, to the row, and the other way round. The row is offered the nearest, as
    many as a list holds, by codes.
    """
    slack = SLACK * trail.scale[0]
    for place in range(trail.seen[1]):
        if trail.similarity[place] > known.least[row] - slack and trail.best[place] != row:
            _offer(steps, graph, known, row, trail.best[place], changed)
    for place in range(_who_may_take(trail, graph, known, row, slack)):
        _offer(steps, graph, known, trail.rows[place], row, changed)


@kernel
def _part(steps: Steps, trail: Trail, graph: TextNeighbours, known: Known, row: int) -> None:
    """Takes a row out of its cell and of the lists around its text, before that changes; lists that
    became too short look along what is left of them.
    """
    nearest(steps, trail, steps.vectors[row], FROM_CELLS)
    slack = SLACK * trail.scale[0]
    short, count = np.zeros(trail.seen[0], np.int32), 0
    for place in range(trail.seen[0]):
        other, held = trail.rows[place], known.held[trail.rows[place]]
        if other == row or held == 0:
            continue
        if trail.similarities[place] < graph.similarities[other, held - 1] - slack:
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
        _offer_all(steps, trail, graph, known, other)


@lent
def _look_again(
    steps: Steps,
    trail: Trail,
    graph: TextNeighbours,
    known: Known,
    turn: NDArray[np.int64],
) -> None:
    turn[0] = (turn[0] + 1) % turn[1]
    if steps.cells.home[turn[0]] > 0:
        walk(steps, trail, turn[0], _AGAIN)
        _offer_all(steps, trail, graph, known, turn[0])


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
        changed = steps.cells.home[row] > 0
        if changed:
            _part(steps, trail, graph, known, row)
        else:
            for _ in range(_TURNS):
                _look_again(steps, trail, graph, known, turn)
        steps.vectors[row] = vectors[place]
        steps.codes.scales[row] = code(vectors[place], steps.codes.numbers[row])
        if np.any(vectors[place] != 0.0):
            cell = nearest(steps, trail, steps.vectors[row], _FROM_CELLS)
            _offer_all(steps, trail, graph, known, row, changed)
            if cell < 0:
                settle(steps.cells, steps.vectors, row)
            else:
                settle_in(steps.cells, steps.vectors, row, cell)
