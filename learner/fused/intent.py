"""A user's intent vector: what recent events want, as one vector of the language model's space.

Each event adds its text vector, signed by what the user thought of it and halved every
`half_life_ms` by the event's own time, so that any arrival order of the same events gives the same
intent. It knows nothing about users, items or storage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upwell.values import UNDOING_KINDS, Vector

__all__ = ["Intent", "decayed", "event_weight", "fold", "unit"]

_KIND_WEIGHT = {
    "view": 0.2,
    "click": 0.5,
    "cart": 0.8,
    "purchase": 1.0,
    "like": 1.0,
    "share": 0.8,
    "dislike": -1.0,
    "skip": -0.3,
    "review": 0.5,
    "query": 1.0,
    "comment": 0.3,
    "follow": 1.0,
    "save": 0.8,
    "hide": -1.0,
    "report": -1.0,
    "play": 0.5,
    "add_to_list": 0.8,
    **dict.fromkeys(UNDOING_KINDS, 0.0),
}
_LEFT_AT_ONCE, _PLAYED_WHOLE = -0.3, 1.0  # a play, as a skip and as a like


@dataclass(frozen=True, slots=True)
class Intent:
    """vector: (d,) float32, the sum as it stands at `ts` (UTC ms), not normalized."""

    vector: Vector
    ts: int


def event_weight(kind: str, rating: float | None, completion: float | None = None) -> float:
    """In [-1.25, 1]: a rating counts by its distance from 3 stars, a play by how much was played
    where that is told, anything else by its kind.
    """
    if completion is not None:
        return _LEFT_AT_ONCE + completion * (_PLAYED_WHOLE - _LEFT_AT_ONCE)
    return _KIND_WEIGHT[kind] if rating is None else (rating - 3.0) / 2.0


def fold(intent: Intent, vector: Vector, weight: float, ts: int, half_life_ms: float) -> Intent:
    """The intent with one more event.

    Commutes: the sum is kept at the newest `ts` seen, older events arrive already decayed.
    """
    if ts >= intent.ts:
        kept = intent.vector * np.float32(2.0 ** ((intent.ts - ts) / half_life_ms))
        return Intent(kept + np.float32(weight) * vector, ts)
    return Intent(
        intent.vector + np.float32(weight * 2.0 ** ((ts - intent.ts) / half_life_ms)) * vector,
        intent.ts,
    )


def decayed(intent: Intent, now: int, half_life_ms: float) -> Vector:
    """(d,) the sum as it stands at `now` (UTC ms), which is not before `intent.ts`."""
    return intent.vector * np.float32(2.0 ** ((intent.ts - now) / half_life_ms))


def unit(vector: Vector) -> Vector | None:
    """(d,) of length one, or None where there is no direction."""
    norm = float(np.sqrt(vector.dot(vector)))  # as np.linalg.norm does, which asks much before
    return vector / np.float32(norm) if norm > 1e-12 else None
