"""Every item's list of its nearest text neighbours, and how one is put in or taken out.

A list keeps a few more neighbours than are read, so it bears some losses (an item's text is
replaced) before it is found anew. It knows nothing about how neighbours are found.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import lent, summing

__all__ = [
    "NEAREST",
    "NEIGHBOURS",
    "RESERVE",
    "Known",
    "TextNeighbours",
    "bound",
    "emptied",
    "insert",
    "place_of",
    "take_out",
]

NEIGHBOURS = 100
NEAREST = 20
RESERVE = 28


class TextNeighbours(NamedTuple):
    """ids, similarities: (N, 128), most similar first, the first `sizes[row]` (at most 100) are the
    neighbours. Similarities are above zero.
    """

    ids: NDArray[np.int32]
    similarities: NDArray[np.float32]
    sizes: NDArray[np.int32]


class Known(NamedTuple):
    """held: (N,) so many of a list are its most similar items, one after the other. whole: (N,) and
    there are no more. least: (N,) what a similarity has to exceed to have its place among them.
    moved: (N,) the first 20 changed since the last `take_moved`.
    """

    held: NDArray[np.int32]
    whole: NDArray[np.bool_]
    least: NDArray[np.float32]
    moved: NDArray[np.bool_]


@lent
def bound(graph: TextNeighbours, known: Known, row: int) -> None:
    """What follows from how many the list of `row` holds."""
    held = known.held[row]
    graph.sizes[row] = min(held, NEIGHBOURS)
    if known.whole[row]:
        known.least[row] = 0.0
    else:
        known.least[row] = graph.similarities[row, held - 1] if held else np.inf


@lent
def insert(
    graph: TextNeighbours, known: Known, row: int, other: int, similarity: float | np.float32
) -> None:
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
    bound(graph, known, row)


@summing
def _last_of(ids: NDArray[np.int32], row: int, held: int, other: np.int32) -> np.int32:
    """Reads all, several at a time: to stop at the first took four times as long."""
    found = np.int32(-1)
    for place in range(held):
        found = max(found, np.int32(place) if ids[row, place] == other else np.int32(-1))
    return found


@lent
def place_of(graph: TextNeighbours, known: Known, row: int, other: int) -> int:
    """Where `other` stands in the list of `row`, -1 where it does not."""
    return int(_last_of(graph.ids, row, known.held[row], np.int32(other)))


@lent
def take_out(graph: TextNeighbours, known: Known, row: int, other: int) -> bool:
    """Takes `other` out of the list of `row`; whether it was there."""
    ids, similarities = graph.ids[row], graph.similarities[row]
    place = place_of(graph, known, row, other)
    if place < 0:
        return False
    for later in range(place + 1, known.held[row]):
        ids[later - 1], similarities[later - 1] = ids[later], similarities[later]
    known.held[row] -= 1
    if place < NEAREST:
        known.moved[row] = True
    bound(graph, known, row)
    return True


@lent
def emptied(graph: TextNeighbours, known: Known, row: int) -> None:
    """The row has no neighbours, for all that is known."""
    known.held[row] = 0
    known.whole[row] = True
    bound(graph, known, row)
