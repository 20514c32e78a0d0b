"""The replay buffer: windows of users' events, half of a sample recent, half from a reservoir of all that came before.

A window is a stretch of one user's events, the newest last. While a user goes on, the window slides with them, and is set aside
every `STRIDE` events, so that each event is in about two windows and memory does not grow with histories. It knows nothing about models.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.fused import LENGTH, HistoryBatch
from learner.kernel import grown, room

__all__ = ["STRIDE", "ExampleBatch", "ReplayBuffer", "Windows"]

STRIDE = 25
HARD = 32


@dataclass(frozen=True, slots=True)
class ExampleBatch:
    """b events with what came before each. users: pseudonyms. before: (b,) events of the user before. rows, kinds, ratings, ts: the events.

    hard: (b, HARD) rows that the ranker took for the event's item, -1 for none.
    """

    users: Sequence[str]
    before: NDArray[np.int64]
    histories: HistoryBatch
    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]
    hard: NDArray[np.int32] | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """n stretches of events, padded on the right. rows: (n, LENGTH + 1) int32, -1 where padded. kinds, ratings, ts: likewise.

    lengths: (n,) events, the last one is the newest. first: (n,) begins with the user's first event.
    intents: (n, d) float16 before the newest event, zeros for none. hard: (n, HARD) rows against the newest event, -1 for none.
    """

    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    first: NDArray[np.bool_]
    intents: NDArray[np.float16]
    hard: NDArray[np.int32]

    @classmethod
    def empty(cls, dimension: int) -> Windows:
        """None at all."""
        wide = (0, LENGTH + 1)
        return cls(
            np.zeros(wide, np.int32), np.zeros(wide, np.uint8), np.zeros(wide, np.float32), np.zeros(wide, np.int64),
            np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros((0, dimension), np.float16), np.zeros((0, HARD), np.int32),
        )  # fmt: skip

    def take(self, places: NDArray[np.int64]) -> Windows:
        """Those at `places`."""
        return Windows(*(getattr(self, one.name)[places] for one in fields(self)))


class ReplayBuffer:
    """At most `capacity` windows, the newest `recent` of them in a ring, the others a uniform sample of all that left it."""

    def __init__(self, capacity: int, recent: int, dimension: int, seed: int) -> None:
        self._capacity = capacity
        self._most_recent = recent
        self._seed = seed
        self._windows = Windows.empty(dimension)
        self._users: list[str] = []
        self._free: list[int] = []
        self._recent: OrderedDict[int, None] = OrderedDict()
        self._older: list[int] = []
        self._open: dict[str, tuple[int, int]] = {}
        self._left = 0

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def add(self, examples: ExampleBatch) -> None:
        """Takes in events in the order they came."""
        for number, user in enumerate(examples.users):
            before = int(examples.before[number])
            slot, opened = self._open.get(user, (-1, 0))
            if slot < 0 or not opened <= before < opened + STRIDE:
                slot, opened = self._new_slot(), before
                self._open[user] = (slot, opened)
                self._users[slot] = user
                self._recent[slot] = None
            self._write(slot, examples, number)

    def _write(self, slot: int, examples: ExampleBatch, number: int) -> None:
        windows, past = self._windows, examples.histories
        length = int(past.lengths[number])
        for name in ("rows", "kinds", "ratings", "ts"):
            column = getattr(windows, name)[slot]
            column[:length] = getattr(past, name)[number, :length]
            column[length] = getattr(examples, name)[number]
            column[length + 1 :] = -1 if name == "rows" else 0
        windows.lengths[slot] = length + 1
        windows.first[slot] = examples.before[number] <= length
        windows.intents[slot] = past.intents[number]
        windows.hard[slot] = -1 if examples.hard is None else examples.hard[number]

    def _new_slot(self) -> int:
        if len(self._recent) >= self._most_recent:
            self._retire(self._recent.popitem(last=False)[0])
        if self._free:
            return self._free.pop()
        slot = len(self._users)
        self._users.append("")
        size = room(slot + 1, len(self._windows.rows))
        self._windows = Windows(*(grown(getattr(self._windows, one.name), size) for one in fields(Windows)))
        return slot

    def _retire(self, slot: int) -> None:
        """From the ring to the reservoir (Vitter's algorithm R), or out."""
        if self._open.get(self._users[slot], (-1, 0))[0] == slot:
            del self._open[self._users[slot]]
        most = self._capacity - self._most_recent
        self._left += 1
        if len(self._older) < most:
            self._older.append(slot)
            return
        place = int(np.random.default_rng([self._seed, self._left]).integers(self._left))
        if place < most:
            slot, self._older[place] = self._older[place], slot
        self._free.append(slot)

    def sample(self, count: int, rng: np.random.Generator) -> Windows:
        """`count` windows with repeats, half recent, half older (all recent while nothing is older). None where the buffer is empty."""
        recent = np.array(list(self._recent), np.int64)
        older = np.array(self._older, np.int64)
        parts = [(recent, count - count // 2), (older, count // 2)] if len(recent) and len(older) else [(recent if len(recent) else older, count)]
        drawn = [slots[rng.integers(len(slots), size=number)] for slots, number in parts if len(slots)]
        return self._windows.take(np.concatenate(drawn) if drawn else np.zeros(0, np.int64))

    def forget(self, user: str) -> int:
        """Removes all of a user's windows, returns how many."""
        slots = {slot for slot in [*self._recent, *self._older] if self._users[slot] == user}
        for slot in slots:
            self._recent.pop(slot, None)
            self._users[slot] = ""
            for one in fields(Windows):
                getattr(self._windows, one.name)[slot] = 0
        self._older = [slot for slot in self._older if slot not in slots]
        self._free += sorted(slots)
        self._open.pop(user, None)
        return len(slots)
