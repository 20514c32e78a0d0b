"""Nearest items without a look at all of them: the cells whose centres are nearest, then from item
to item along the neighbour lists, as long as a step finds something nearer.

How many items one search looks at does not grow with the catalogue. It is not exact; what it finds
of the hundred nearest is in docs/decisions/0033.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.cells import Cells, dot, nearest_first
from learner.catalogue.kernel import grown, kernel

__all__ = [
    "FROM_CELLS",
    "MOST_SEEN",
    "Steps",
    "Trail",
    "empty_trail",
    "nearest",
    "search",
    "walk",
    "widened",
]

FROM_CELLS = 1_000
"""Items of the nearest cells that a search for a user looks at, at least; then it walks on."""
_POOL = 128
"""The nearest so far, from each of which the walk goes on."""
MOST_SEEN = 1 << 15
"""Items that a search looks at, at most."""


class Trail(NamedTuple):
    """Reused between searches. rows, similarities: (32768,) what was looked at, the first `seen[0]`
    hold. best, similarity: (128,) the nearest of them, nearest first, the first `seen[1]` hold.
    met, left: (N,) a row was looked at, was gone on from, in this search if it holds `round[0]`.
    """

    rows: NDArray[np.int32]
    similarities: NDArray[np.float32]
    best: NDArray[np.int32]
    similarity: NDArray[np.float32]
    seen: NDArray[np.int64]
    met: NDArray[np.int64]
    left: NDArray[np.int64]
    round: NDArray[np.int64]


class Steps(NamedTuple):
    """What a search moves on. vectors: (N, d). ids, sizes: every item's neighbour list."""

    vectors: NDArray[np.float32]
    cells: Cells
    ids: NDArray[np.int32]
    sizes: NDArray[np.int32]


def empty_trail() -> Trail:
    """For no item yet."""
    return Trail(
        np.zeros(MOST_SEEN, np.int32),
        np.zeros(MOST_SEEN, np.float32),
        np.zeros(_POOL, np.int32),
        np.zeros(_POOL, np.float32),
        np.zeros(2, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(1, np.int64),
    )


def widened(trail: Trail, rows: int) -> Trail:
    """With room for `rows` items."""
    return trail._replace(met=grown(trail.met, rows), left=grown(trail.left, rows))


@kernel
def _begin(trail: Trail) -> None:
    trail.seen[:] = 0
    trail.round[0] += 1


@kernel
def _look_at(
    vectors: NDArray[np.float32],
    to: NDArray[np.float32],
    row: int,
    rows: NDArray[np.int32],
    similarities: NDArray[np.float32],
    best: NDArray[np.int32],
    similarity: NDArray[np.float32],
    seen: NDArray[np.int64],
) -> None:
    """Remembers what was looked at, and where it stands among the nearest."""
    own = dot(vectors[row], to)
    rows[seen[0]], similarities[seen[0]] = row, own
    seen[0] += 1
    place = seen[1]
    if place == _POOL:
        if not own > similarity[_POOL - 1]:
            return
        place -= 1
    else:
        seen[1] = place + 1
    while place > 0 and similarity[place - 1] < own:
        similarity[place], best[place] = similarity[place - 1], best[place - 1]
        place -= 1
    similarity[place], best[place] = own, row


@kernel
def _look_at_all(
    steps: Steps, trail: Trail, some: NDArray[np.int32], to: NDArray[np.float32]
) -> None:
    """At those of `some` that this search has not looked at. Local arrays: the compiler counts
    references to those in tuples.
    """
    vectors, met, now, seen = steps.vectors, trail.met, trail.round[0], trail.seen
    rows, similarities, best, similarity = (
        trail.rows,
        trail.similarities,
        trail.best,
        trail.similarity,
    )
    for row in some:
        if met[row] != now and seen[0] < MOST_SEEN:
            met[row] = now
            _look_at(vectors, to, row, rows, similarities, best, similarity, seen)


@kernel
def _go_on(steps: Steps, trail: Trail, to: NDArray[np.float32]) -> None:
    """Looks at the neighbours of the nearest, until all of those were gone on from."""
    place = 0
    while place < trail.seen[1]:
        row = trail.best[place]
        if trail.left[row] == trail.round[0]:
            place += 1
            continue
        trail.left[row] = trail.round[0]
        _look_at_all(steps, trail, steps.ids[row, : steps.sizes[row]], to)
        place = 0


@kernel
def nearest(steps: Steps, trail: Trail, to: NDArray[np.float32], least: int) -> None:
    """Fills the trail from at least `least` items of the nearest cells."""
    _begin(trail)
    for cell in nearest_first(steps.cells, to):
        _look_at_all(steps, trail, steps.cells.members[cell, : steps.cells.sizes[cell]], to)
        if trail.seen[0] >= least:
            break
    _go_on(steps, trail, to)


@kernel
def walk(steps: Steps, trail: Trail, row: int) -> None:
    """Fills the trail from the neighbours that a row has."""
    _begin(trail)
    to = steps.vectors[row]
    trail.met[row] = trail.left[row] = trail.round[0]
    _look_at_all(steps, trail, steps.ids[row, : steps.sizes[row]], to)
    _go_on(steps, trail, to)


@kernel
def _eligible(
    trail: Trail,
    allowed: NDArray[np.bool_],
    blocked: NDArray[np.int32],
    out: NDArray[np.int32],
) -> int:
    """Fills `out` with the nearest of what was looked at, best first; how many there are."""
    for row in blocked:
        trail.left[row] = -trail.round[0]
    held = 0
    for place in np.argsort(-trail.similarities[: trail.seen[0]], kind="mergesort"):
        row = trail.rows[place]
        if held < len(out) and allowed[row] and trail.left[row] != -trail.round[0]:
            out[held] = row
            held += 1
    out[held:] = -1
    return held


@kernel
def search(
    steps: Steps,
    trail: Trail,
    to: NDArray[np.float32],
    only: NDArray[np.int32],
    allowed: NDArray[np.bool_],
    blocked: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    """Fills `out` with the nearest rows that are allowed and not blocked, best first, -1 where
    fewer are found. only: compared one by one where there are any, at most `MOST_SEEN`. Else it
    looks at four times as many as long as it finds too few, up to `MOST_SEEN`.
    """
    if len(only):
        _begin(trail)
        _look_at_all(steps, trail, only, to)
        _eligible(trail, allowed, blocked, out)
        return
    least, enough = FROM_CELLS, False
    while not enough:
        nearest(steps, trail, to, least)
        found = _eligible(trail, allowed, blocked, out)
        enough = found == len(out) or trail.seen[0] < least or least > MOST_SEEN // 4
        least *= 4
