"""Users as flat arrays for the kernels: histories newest first, each item once, and the dense
signals of those who are ranked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.counts.dense import Dense
from learner.counts.events import Past

__all__ = [
    "MET",
    "MET_LIKED",
    "NEW",
    "NEWCOMER_EVENTS",
    "Block",
    "Row",
    "Targets",
    "block_of",
    "cut",
    "met_of",
    "padded",
    "starts_of",
]

NEWCOMER_EVENTS = 2
Row = int
NEW, MET, MET_LIKED = 0, 1, 2


class Block(NamedTuple):
    """history, liked, taken: newest first, of user u from starts[u] to starts[u + 1]; taken is 0
    where repeats do not count. blocked: rows left out, likewise. at: (b,) of the event or of the
    list, UTC ms, 0 where no time is meant.

    beside: rows that a user's item was shown among, likewise; impressions: how often each was shown
    before and left. events: (b,) length of the user's history. slot: (b,) the user's row in `dense`
    (of b' users) or -1. dense_on: (b', 2) which of its signals there are.
    """

    history: NDArray[np.int32]
    liked: NDArray[np.bool_]
    starts: NDArray[np.int64]
    taken: NDArray[np.int32]
    blocked: NDArray[np.int32]
    blocked_starts: NDArray[np.int64]
    events: NDArray[np.int64]
    slot: NDArray[np.int64]
    dense: Dense
    dense_on: NDArray[np.bool_]
    beside: NDArray[np.int32]
    impressions: NDArray[np.float64]
    beside_starts: NDArray[np.int64]
    at: NDArray[np.int64]


class Targets(NamedTuple):
    """The events themselves. rows: (b,) items. liked, tested: (b,). met: (b,) NEW to the user, MET
    before, or MET_LIKED.

    newcomer: (b,) the user had at most NEWCOMER_EVENTS events before. weight: (b,) of what it adds
    to the counts, at most 1. again: (b,) as of `repeats_of`.
    """

    rows: NDArray[np.int32]
    liked: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    met: NDArray[np.int8]
    newcomer: NDArray[np.bool_]
    weight: NDArray[np.float32]
    again: NDArray[np.int8]


def met_of(past: Past, rows: NDArray[np.int32]) -> NDArray[np.int8]:
    """(b,) what b users had to do with one item each: NEW, MET or MET_LIKED."""
    users = np.repeat(np.arange(len(rows)), np.diff(past.starts))
    same = past.history == rows[users]
    met = np.full(len(rows), NEW, np.int8)
    met[users[same]] = np.where(past.liked[same], MET_LIKED, MET)
    return met


def block_of(
    past: Past,
    blocked: Sequence[Sequence[Row]],
    events: Sequence[int],
    slot: NDArray[np.int64],
    dense: Dense,
    dense_on: NDArray[np.bool_],
    beside: Sequence[Sequence[tuple[Row, float]]] | None = None,
    at: Sequence[int] | None = None,
    again: bool = False,
) -> Block:
    """b users side by side; `beside` of nobody where it is None, no time meant where `at` is.
    again: whether repeats count.
    """
    beside = beside or [()] * len(events)
    past = past if again else past._replace(taken=np.zeros_like(past.taken))
    shown = list(chain.from_iterable(beside))
    return Block(
        *past,
        np.array(list(chain.from_iterable(blocked)), np.int32),
        starts_of([len(one) for one in blocked]),
        np.array(events, np.int64),
        slot,
        dense,
        dense_on,
        np.array([row for row, _ in shown], np.int32),
        np.array([count for _, count in shown], np.float64),
        starts_of([len(one) for one in beside]),
        np.array(at or [0] * len(events), np.int64),
    )


def padded(
    named: Sequence[Sequence[tuple[Row, float]]],
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(b, n) rows, -1 where there are fewer, and (b, n) what belongs to them."""
    shape = (len(named), max(map(len, named), default=0))
    rows, worth = np.full(shape, -1, np.int32), np.zeros(shape)
    for user, some in enumerate(named):
        for place, (row, likeness) in enumerate(some):
            rows[user, place], worth[user, place] = row, likeness
    return rows, worth


def cut(block: Block, targets: Targets, size: int) -> Iterator[tuple[Block, Targets]]:
    """At most `size` examples at a time, for counting: histories and targets alone are cut."""
    for start in range(0, len(targets.rows), size):
        starts = block.starts[start : start + size + 1]
        history = slice(starts[0], starts[-1])
        part = block._replace(
            history=block.history[history],
            liked=block.liked[history],
            taken=block.taken[history],
            starts=starts - starts[0],
        )
        yield part, Targets._make(array[start : start + size] for array in targets)


def starts_of(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n runs begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)
