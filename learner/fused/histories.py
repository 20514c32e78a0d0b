"""Users' histories as the fused model reads them: item rows, kinds, stars and times as arrays. It
knows nothing about weights or item ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.events import KINDS, ItemEvents
from learner.fused.intent import event_weight
from upwell.values import Vector

__all__ = ["LENGTH", "HistoryBatch", "history_batch", "intent_weights"]

LENGTH = 50

_KIND_WEIGHTS = np.array([event_weight(kind, None) for kind in KINDS], np.float32)


@dataclass(frozen=True, slots=True)
class HistoryBatch:
    """The newest item events of b users, oldest first, at most `LENGTH`.

    rows: (b, L) int32, padded on the right with -1. kinds: (b, L) uint8, places in `KINDS`.
    ratings: (b, L) float32 stars, nan for none. ts: (b, L) int64 UTC ms. lengths: (b,) how many are
    there. intents: (b, d) float32, of any length, zeros for none.
    """

    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    intents: NDArray[np.float32]

    def take(self, places: NDArray[np.int64]) -> HistoryBatch:
        """Those at `places`."""
        return HistoryBatch(*(getattr(self, one.name)[places] for one in fields(self)))


def history_batch(
    events: ItemEvents, intents: Sequence[Vector | None], dimension: int
) -> HistoryBatch:
    """Of b users the newest events, and their intents of `dimension` numbers."""
    lengths = np.minimum(np.diff(events.starts), LENGTH)
    place = np.arange(LENGTH)
    here = place < lengths[:, None]  # (b, L)
    at = ((events.starts[1:] - lengths)[:, None] + place)[here]

    def padded(column: NDArray[Any], nothing: float) -> NDArray[Any]:
        found = np.full(here.shape, nothing, column.dtype)
        found[here] = column[at]
        return found

    wishes = np.zeros((len(lengths), dimension), np.float32)
    for user, intent in enumerate(intents):
        if intent is not None:
            wishes[user] = intent
    return HistoryBatch(
        padded(events.rows, -1),
        padded(events.kinds, 0),
        padded(events.ratings, np.nan),
        padded(events.ts, 0),
        lengths,
        wishes,
    )


def intent_weights(kinds: NDArray[np.uint8], ratings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each event's signed share in the intent, as `learner.fused.intent.event_weight` has it."""
    return np.where(
        np.isnan(ratings), _KIND_WEIGHTS[kinds], (ratings - np.float32(3.0)) / np.float32(2.0)
    ).astype(np.float32)
