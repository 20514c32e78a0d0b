"""Nearest items without a look at all of them: the cells whose centres are nearest, then from item
to item along the neighbour lists, as long as a step finds something nearer. Codes are compared on
the way, and vectors of what is kept.

How many items one search looks at hardly grows with the catalogue. It is not exact; what it finds
of the hundred nearest is in docs/decisions/0033.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, kernel, lent
from learner.catalogue.nearest.cells import Cells, dot, enter_best, nearest_first
from learner.catalogue.nearest.codes import SLACK, Codes, code, common, prefetch

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

FROM_CELLS = 2_000
"""Items of the nearest cells that a search for a user looks at, at least; then it walks on."""
_POOL = 128
"""The nearest so far, from each of which the walk goes on."""
_AHEAD = 6  # codes that are fetched before they are compared
_ROUNDS = (1 << 16) - 1  # what `met` can tell apart
MOST_SEEN = 1 << 15
"""Items that a search looks at, at most."""


class Trail(NamedTuple):
    """Reused between searches. rows, similarities: (32768,) what was looked at, the first `seen[0]`
    hold. best, similarity: (128,) the nearest of them, nearest first, the first `seen[1]` hold.
    left, met: (N,) a row was gone on from, was looked at, in this search if it holds `round[0]`,
    `round[1]`: that of `met` begins anew, so that it takes two bytes a row.
    asked: (d,) the codes of what is searched for, and `scale` (1,) theirs.
    """

    rows: NDArray[np.int32]
    similarities: NDArray[np.float32]
    best: NDArray[np.int32]
    similarity: NDArray[np.float32]
    seen: NDArray[np.int64]
    met: NDArray[np.uint16]
    left: NDArray[np.int64]
    round: NDArray[np.int64]
    asked: NDArray[np.int8]
    scale: NDArray[np.float32]


class Steps(NamedTuple):
    """What a search moves on. vectors: (N, d). codes: theirs. ids, sizes: every item's neighbour
    list.
    """

    vectors: NDArray[np.float32]
    codes: Codes
    cells: Cells
    ids: NDArray[np.int32]
    sizes: NDArray[np.int32]


def empty_trail(dimension: int) -> Trail:
    """For no item yet."""
    return Trail(
        np.zeros(MOST_SEEN, np.int32),
        np.zeros(MOST_SEEN, np.float32),
        np.zeros(_POOL, np.int32),
        np.zeros(_POOL, np.float32),
        np.zeros(2, np.int64),
        np.zeros(0, np.uint16),
        np.zeros(0, np.int64),
        np.zeros(2, np.int64),
        np.zeros(dimension, np.int8),
        np.zeros(1, np.float32),
    )


def widened(trail: Trail, rows: int) -> Trail:
    """With room for `rows` items."""
    return trail._replace(met=grown(trail.met, rows), left=grown(trail.left, rows))


@lent
def _begin(trail: Trail, to: NDArray[np.float32]) -> None:
    trail.seen[:] = 0
    trail.round[0] += 1
    trail.round[1] += 1
    if trail.round[1] > _ROUNDS:
        trail.met[:] = 0
        trail.round[1] = 1
    trail.scale[0] = code(to, trail.asked)


@lent
def _not_met(trail: Trail, some: NDArray[np.int32]) -> int:
    """Adds those of `some` to the trail that this search has not looked at; where they begin."""
    met, now, rows, seen = trail.met, trail.round[1], trail.rows, trail.seen[0]
    first = seen
    for row in some:
        if met[row] != now and seen < MOST_SEEN:
            met[row] = now
            rows[seen] = row
            seen += 1
    trail.seen[0] = seen
    return int(first)


@lent
def _look_at_all(steps: Steps, trail: Trail, some: NDArray[np.int32]) -> None:
    """At those of `some` that this search has not looked at: what they have in common with what is
    asked, and where they stand among the nearest. Local arrays: the compiler counts references to
    those in tuples.
    """
    first, end = _not_met(trail, some), trail.seen[0]
    numbers, scales, asked, scale = (
        steps.codes.numbers,
        steps.codes.scales,
        trail.asked,
        trail.scale[0],
    )
    rows, similarities, best, similarity = (
        trail.rows,
        trail.similarities,
        trail.best,
        trail.similarity,
    )
    held = trail.seen[1]
    for place in range(first, min(end, first + _AHEAD)):
        prefetch(numbers, rows[place])
        prefetch(scales, rows[place])
    for place in range(first, end):
        if place + _AHEAD < end:
            prefetch(numbers, rows[place + _AHEAD])
            prefetch(scales, rows[place + _AHEAD])
        row = rows[place]
        own = np.float32(common(numbers, row, asked)) * (scale * scales[row])
        similarities[place] = own
        if held < _POOL or own > similarity[held - 1]:
            held = enter_best(best, similarity, held, row, own)
    trail.seen[1] = held


@lent
def _go_on(steps: Steps, trail: Trail, most: int) -> None:
    """Looks at the neighbours of the nearest, until all of those were gone on from, or `most`."""
    place, gone = 0, 0
    while place < trail.seen[1] and gone < most:
        row = trail.best[place]
        if trail.left[row] == trail.round[0]:
            place += 1
            continue
        trail.left[row] = trail.round[0]
        gone += 1
        if place + 1 < trail.seen[1]:  # the next, unless something nearer is found
            prefetch(steps.sizes, trail.best[place + 1])
            prefetch(steps.ids, trail.best[place + 1])
        _look_at_all(steps, trail, steps.ids[row, : steps.sizes[row]])
        place = 0


@kernel
def nearest(steps: Steps, trail: Trail, to: NDArray[np.float32], least: int) -> int:
    """Fills the trail from at least `least` items of the nearest cells; the nearest of those."""
    _begin(trail, to)
    first = nearest_first(steps.cells, to, 16 + least // 32)
    for cell in first:
        _look_at_all(steps, trail, steps.cells.members[cell, : steps.cells.sizes[cell]])
        if trail.seen[0] >= least:
            break
    _go_on(steps, trail, MOST_SEEN)
    return int(first[0]) if len(first) else -1


@lent
def walk(steps: Steps, trail: Trail, row: int, most: int = MOST_SEEN) -> None:
    """Fills the trail from the neighbours that a row has, and those of at most so many of the
    nearest.
    """
    _begin(trail, steps.vectors[row])
    trail.met[row], trail.left[row] = trail.round[1], trail.round[0]
    _look_at_all(steps, trail, steps.ids[row, : steps.sizes[row]])
    _go_on(steps, trail, most)


@kernel
def _eligible(
    steps: Steps,
    trail: Trail,
    to: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    blocked: NDArray[np.int32],
    out: NDArray[np.int32],
) -> int:
    """Fills `out` with the nearest of what was looked at, best first; how many there are. By codes
    more than are wanted: those that the vectors may put among them.
    """
    for row in blocked:
        trail.left[row] = -trail.round[0]
    held, bound = 0, np.float32(-np.inf)
    similarity = np.empty(len(out), np.float32)
    eligible = 0
    for place in np.argsort(-trail.similarities[: trail.seen[0]], kind="mergesort"):
        row = trail.rows[place]
        if not allowed[row] or trail.left[row] == -trail.round[0]:
            continue
        eligible += 1
        own = trail.similarities[place]
        if eligible == len(out):
            bound = own - SLACK * trail.scale[0]
        if own < bound:
            break
        exact = dot(steps.vectors[row], to)
        if held < len(out) or exact > similarity[held - 1]:
            held = enter_best(out, similarity, held, row, exact)
    out[held:] = -1
    return held


@lent
def _among(
    steps: Steps,
    trail: Trail,
    to: NDArray[np.float32],
    only: NDArray[np.int32],
) -> None:
    """Fills the trail with all of `only`, at most `MOST_SEEN`."""
    _begin(trail, to)
    first = _not_met(trail, only)
    for place in range(first, trail.seen[0]):
        trail.similarities[place] = dot(steps.vectors[trail.rows[place]], to)


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
        _among(steps, trail, to, only)
        _eligible(steps, trail, to, allowed, blocked, out)
        return
    least, enough = FROM_CELLS, False
    while not enough:
        nearest(steps, trail, to, least)
        found = _eligible(steps, trail, to, allowed, blocked, out)
        enough = found == len(out) or trail.seen[0] < least or least > MOST_SEEN // 4
        least *= 4
