"""Users as flat arrays for the kernels: histories newest first, each item once, and the dense
signals of those who are ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from upwell.values import Interaction

__all__ = [
    "HISTORY",
    "MET",
    "MET_LIKED",
    "NEW",
    "NEWCOMER_EVENTS",
    "Block",
    "Profile",
    "Row",
    "Targets",
    "block_of",
    "cut",
    "profile",
    "starts_of",
]

HISTORY = 50
NEWCOMER_EVENTS = 2
Row = int
NEW, MET, MET_LIKED = 0, 1, 2


class Block(NamedTuple):
    """history, liked: newest first, those of user u from starts[u] to starts[u + 1]; blocked: rows
    left out, likewise.

    beside: rows that a user's item was shown among, likewise; impressions: how often each was shown
    before and left. events: (b,) length of the user's history. slot: (b,) the user's row in `dense`
    (D, b', N) or -1. dense_on: (b', D).
    """

    history: NDArray[np.int32]
    liked: NDArray[np.bool_]
    starts: NDArray[np.int64]
    blocked: NDArray[np.int32]
    blocked_starts: NDArray[np.int64]
    events: NDArray[np.int64]
    slot: NDArray[np.int64]
    dense: NDArray[np.float32]
    dense_on: NDArray[np.bool_]
    beside: NDArray[np.int32]
    impressions: NDArray[np.float64]
    beside_starts: NDArray[np.int64]


class Targets(NamedTuple):
    """The events themselves. rows: (b,) items. liked, tested: (b,). met: (b,) NEW to the user, MET
    before, or MET_LIKED.

    newcomer: (b,) the user had at most NEWCOMER_EVENTS events before. weight: (b,) of what it adds
    to the counts, at most 1.
    """

    rows: NDArray[np.int32]
    liked: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    met: NDArray[np.int8]
    newcomer: NDArray[np.bool_]
    weight: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Profile:
    """One user as rows.

    history, liked: newest first. blocked: left out. slot: in the dense arrays, -1 for none. beside:
    items that the event's was shown among, with unanswered impressions.
    """

    history: tuple[Row, ...]
    liked: tuple[bool, ...]
    blocked: tuple[Row, ...]
    events: int
    slot: int
    beside: tuple[tuple[Row, float], ...] = ()

    def met(self, row: Row) -> int:
        """Whether the user's history holds the item, and liked."""
        if row not in self.history:
            return NEW
        return MET_LIKED if self.liked[self.history.index(row)] else MET


def profile(placed: Iterable[tuple[Row, Interaction]]) -> tuple[tuple[Row, ...], tuple[bool, ...]]:
    """Of interactions newest first: each row once, where it was last met. Liked as the user's last
    opinion says, and if there is none, if it ever was.
    """
    seen: dict[Row, bool] = {}
    judged: set[Row] = set()
    for row, interaction in placed:
        if row in judged:
            continue
        if interaction.opinion:
            judged.add(row)
            seen[row] = interaction.liked
        else:
            seen[row] = interaction.liked or seen.get(row, False)
    return tuple(seen), tuple(seen.values())


def block_of(
    profiles: Sequence[Profile], dense: NDArray[np.float32], dense_on: NDArray[np.bool_]
) -> Block:
    """Puts profiles side by side."""
    history = [row for one in profiles for row in one.history]
    liked = [flag for one in profiles for flag in one.liked]
    blocked = [row for one in profiles for row in one.blocked]
    beside = [shown for one in profiles for shown in one.beside]
    return Block(
        np.array(history, np.int32),
        np.array(liked, np.bool_),
        starts_of([len(one.history) for one in profiles]),
        np.array(blocked, np.int32),
        starts_of([len(one.blocked) for one in profiles]),
        np.array([one.events for one in profiles], np.int64),
        np.array([one.slot for one in profiles], np.int64),
        dense,
        dense_on,
        np.array([row for row, _ in beside], np.int32),
        np.array([count for _, count in beside], np.float64),
        starts_of([len(one.beside) for one in profiles]),
    )


def cut(block: Block, targets: Targets, size: int) -> Iterator[tuple[Block, Targets]]:
    """At most `size` examples at a time, for counting: histories and targets alone are cut."""
    for start in range(0, len(targets.rows), size):
        starts = block.starts[start : start + size + 1]
        history = slice(starts[0], starts[-1])
        part = block._replace(
            history=block.history[history], liked=block.liked[history], starts=starts - starts[0]
        )
        yield part, Targets._make(array[start : start + size] for array in targets)


def starts_of(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n runs begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)
