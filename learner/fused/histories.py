"""Users' histories as the fused model reads them: item rows, kinds, stars and times as arrays. It
knows nothing about weights or item ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from learner.fused.intent import event_weight
from upwell.events import Action
from upwell.values import Interaction, Vector

__all__ = ["KINDS", "LENGTH", "HistoryBatch", "Placed", "history_batch", "intent_weights"]

KINDS = (*(str(one) for one in Action if one is not Action.UNLIKE), "review", "query")
"""What a code in `kinds` stands for; what was taken back stands in no history."""
LENGTH = 50
Placed = Sequence[tuple[int, Interaction]]
"""A history, oldest first, each interaction with its item's row."""

_KIND_WEIGHTS = np.array([event_weight(kind, None) for kind in KINDS], np.float32)
_CODE = {kind: code for code, kind in enumerate(KINDS)}


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
    histories: Sequence[Placed], intents: Sequence[Vector | None], dimension: int
) -> HistoryBatch:
    """b histories, each of at most `LENGTH`, and as many intents of `dimension` numbers."""
    shape = (len(histories), LENGTH)
    rows, kinds = np.full(shape, -1, np.int32), np.zeros(shape, np.uint8)
    ratings, ts = np.full(shape, np.nan, np.float32), np.zeros(shape, np.int64)
    for user, history in enumerate(histories):
        for place, (row, entry) in enumerate(history):
            rows[user, place], kinds[user, place] = row, _CODE[entry.kind]
            ts[user, place] = entry.ts
            if entry.rating is not None:
                ratings[user, place] = entry.rating
    nothing = np.zeros(dimension, np.float32)
    wishes = np.stack(
        [nothing if intent is None else np.asarray(intent, np.float32) for intent in intents]
    )
    lengths = np.array([min(len(one), LENGTH) for one in histories], np.int64)
    return HistoryBatch(rows, kinds, ratings, ts, lengths, wishes)


def intent_weights(kinds: NDArray[np.uint8], ratings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each event's signed share in the intent, as `learner.fused.intent.event_weight` has it."""
    return np.where(
        np.isnan(ratings), _KIND_WEIGHTS[kinds], (ratings - np.float32(3.0)) / np.float32(2.0)
    ).astype(np.float32)
