"""Users as flat arrays for the kernels: histories newest first, each item once, and the dense signals of those who are ranked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.signals.names import DENSE
from upwell.values import Interaction

__all__ = ["HISTORY", "Block", "Profile", "Row", "block_of", "profile"]

HISTORY = 50
Row = int


class Block(NamedTuple):
    """history, liked: newest first, those of user u from starts[u] to starts[u + 1]; blocked: rows left out, likewise.

    events: (b,) length of the user's history. slot: (b,) the user's row in `dense` (D, b', N) or -1. dense_on: (b', D).
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


@dataclass(frozen=True, slots=True)
class Profile:
    """One user as rows. history, liked: newest first. blocked: left out. slot: in the dense arrays, -1 for none."""

    history: tuple[Row, ...]
    liked: tuple[bool, ...]
    blocked: tuple[Row, ...]
    events: int
    slot: int


def profile(placed: Iterable[tuple[Row, Interaction]]) -> tuple[tuple[Row, ...], tuple[bool, ...]]:
    """Of interactions newest first: each row once, where it was last met, liked if it ever was."""
    seen: dict[Row, bool] = {}
    for row, interaction in placed:
        seen[row] = interaction.liked or seen.get(row, False)
    return tuple(seen), tuple(seen.values())


def block_of(profiles: Sequence[Profile], dense: NDArray[np.float32], dense_on: NDArray[np.bool_]) -> Block:
    """Puts profiles side by side."""
    history = [row for one in profiles for row in one.history]
    liked = [flag for one in profiles for flag in one.liked]
    blocked = [row for one in profiles for row in one.blocked]
    return Block(
        np.array(history, np.int32),
        np.array(liked, np.bool_),
        _starts([len(one.history) for one in profiles]),
        np.array(blocked, np.int32),
        _starts([len(one.blocked) for one in profiles]),
        np.array([one.events for one in profiles], np.int64),
        np.array([one.slot for one in profiles], np.int64),
        dense,
        dense_on,
    )


def no_dense() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """For blocks in which nobody is ranked."""
    return np.zeros((len(DENSE), 1, 0), np.float32), np.zeros((1, len(DENSE)), np.bool_)


def _starts(lengths: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)
