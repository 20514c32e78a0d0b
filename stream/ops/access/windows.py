"""What the learner keeps of users: their windows in its replay buffer and what of them waits in
quarantine, as the newest checkpoint has it. What it took in since stands on `examples`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from learner.counts.events import KINDS
from learner.release import checkpoint
from learner.release.folder import ModelsFolder
from learner.release.users import WINDOWS, digest
from stream.quarantine.state import held_in
from upwell.errors import ModelError

__all__ = ["Learned", "load_newest", "read_windows"]

TRIES = 5


@dataclass(frozen=True, slots=True)
class Learned:
    """checkpoint: its file, None where there is none yet. examples: that it had learned. windows:
    the users', JSON-ready, each a stretch of events, the newest last.
    """

    checkpoint: str | None
    examples: int
    windows: list[dict[str, Any]]


def read_windows(folder: ModelsFolder, users: Collection[str]) -> Learned:
    """users: pseudonyms. Raises `ModelError` where the checkpoint is torn."""
    loaded = load_newest(folder)
    if loaded is None:
        return Learned(None, 0, [])
    name, arrays, meta = loaded
    learned = int(meta["learner"].get("learned", 0))
    return Learned(name, learned, [*_windows(arrays, meta, users), *_waiting(arrays, users)])


def load_newest(folder: ModelsFolder) -> tuple[str, Any, Any] | None:
    """File, arrays and meta of the newest checkpoint, None where there is none. One that is removed
    while it is read, since its owner runs, makes way for the next. Raises `ModelError` for a torn
    one.
    """
    for left in reversed(range(TRIES)):
        newest = checkpoint.latest(folder)
        if newest is None:
            return None
        try:
            return (newest.name, *checkpoint.load(folder, newest.name))
        except ModelError:
            if left == 0 or not checkpoint.replaced(folder, newest.name):
                raise
    raise AssertionError("the last try returns or raises")


def _windows(arrays: Any, meta: Any, users: Collection[str]) -> list[dict[str, Any]]:
    if f"{WINDOWS}users" not in arrays:
        return []
    names = {digest(user): user for user in users}
    owners = arrays[f"{WINDOWS}users"]
    return [
        _window(arrays, meta["learner"]["items"], int(place), names[int(owners[place])])
        for place in np.flatnonzero(np.isin(owners, list(names)))
    ]


def _window(arrays: Any, items: list[str], place: int, user: str) -> dict[str, Any]:
    length = int(arrays[f"{WINDOWS}lengths"][place])
    rows, kinds, ratings, times = (
        arrays[f"{WINDOWS}{name}"][place, :length] for name in ("rows", "kinds", "ratings", "ts")
    )
    return {
        "user": user,
        "events": [
            {
                "item_id": items[int(row)],
                "kind": KINDS[int(kind)],
                "rating": None if np.isnan(rating) else float(rating),
                "ts": int(ts),
            }
            for row, kind, rating, ts in zip(rows, kinds, ratings, times, strict=True)
        ],
        "intent": [float(number) for number in arrays[f"{WINDOWS}intents"][place]],
    }


def _waiting(arrays: Any, users: Collection[str]) -> Iterator[dict[str, Any]]:
    """What is held of them, each example as a window that ends with its event."""
    for one in (held.example for held in held_in(arrays) if held.example.user in users):
        yield {
            "user": one.user,
            "events": [
                {
                    "item_id": entry.item_id,
                    "kind": entry.kind,
                    "rating": entry.rating,
                    "ts": entry.ts,
                }
                for entry in (*one.history, one.event)
            ],
            "intent": None if one.intent is None else [float(number) for number in one.intent],
        }
