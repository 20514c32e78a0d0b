"""The replay buffer: windows of users' events, half of a sample recent, half from a reservoir of
all that came before.

A window is a stretch of one user's events, the newest last. While a user goes on, their window
slides along, and is set aside every `STRIDE` events, so that memory grows by events, not by
histories. It knows nothing about models.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, room
from learner.fused.histories import LENGTH, HistoryBatch
from learner.release.users import digest

__all__ = ["ExampleBatch", "ReplayBuffer", "Windows", "digest"]

STRIDE = 10


@dataclass(frozen=True, slots=True)
class ExampleBatch:
    """b events with what came before each. users: pseudonyms. before: (b,) the user's events before
    it.

    rows: (b,) int32 items, kinds: (b,) uint8, ratings: (b,) float32 stars or nan, ts: (b,) int64
    UTC ms, all of the events themselves.
    """

    users: Sequence[str]
    before: NDArray[np.int64]
    histories: HistoryBatch
    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """n stretches of events, padded on the right. rows: (n, LENGTH + 1) int32, -1 where padded.
    kinds, ratings, ts: likewise.

    users: (n,) int64 digests. lengths: (n,) events, the last one is the newest. first: (n,) begins
    with the user's first event. intents: (n, d) float16 before the newest event, zeros for none.
    """

    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]
    users: NDArray[np.int64]
    lengths: NDArray[np.int64]
    first: NDArray[np.bool_]
    intents: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def zeros(cls, count: int, dimension: int) -> Windows:
        """Room for `count`."""
        wide = (count, LENGTH + 1)
        return cls(
            np.zeros(wide, np.int32),
            np.zeros(wide, np.uint8),
            np.zeros(wide, np.float32),
            np.zeros(wide, np.int64),
            np.zeros(count, np.int64),
            np.zeros(count, np.int64),
            np.zeros(count, np.bool_),
            np.zeros((count, dimension), np.float16),
        )

    def take(self, places: NDArray[np.int64]) -> Windows:
        """Those at `places`."""
        return Windows(*(getattr(self, name)[places] for name in _COLUMNS))


_COLUMNS = tuple(one.name for one in fields(Windows))


class ReplayBuffer:
    """At most `capacity` windows, the newest `recent` of them in a ring, the others a uniform
    sample of all that left the ring.
    """

    def __init__(self, capacity: int, recent: int, dimension: int, seed: int) -> None:
        self._most_older = max(1, capacity - recent)
        self._most_recent = recent
        self._seed = seed
        self._windows = Windows.zeros(0, dimension)
        self._used = 0
        self._free: list[int] = []
        self._recent: OrderedDict[int, None] = OrderedDict()
        self._older: list[int] = []
        self._open: dict[int, tuple[int, int]] = {}
        self._left = 0

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    # ---- filling

    def add(self, examples: ExampleBatch) -> None:
        """Takes in events in the order they came."""
        for number, name in enumerate(examples.users):
            user, before = digest(name), int(examples.before[number])
            slot, opened = self._open.get(user, (-1, 0))
            if slot < 0 or not opened <= before < opened + STRIDE:
                slot = self._new_slot()
                self._open[user] = (slot, before)
                self._recent[slot] = None
            self._write(slot, user, examples, number)

    def _write(self, slot: int, user: int, examples: ExampleBatch, number: int) -> None:
        windows, past = self._windows, examples.histories
        length = int(past.lengths[number])
        for name in ("rows", "kinds", "ratings", "ts"):
            column = getattr(windows, name)[slot]
            column[:length] = getattr(past, name)[number, :length]
            column[length] = getattr(examples, name)[number]
            column[length + 1 :] = -1 if name == "rows" else 0
        windows.users[slot] = user
        windows.lengths[slot] = length + 1
        windows.first[slot] = examples.before[number] <= length
        windows.intents[slot] = past.intents[number]

    def _new_slot(self) -> int:
        if len(self._recent) >= self._most_recent:
            self._retire(self._recent.popitem(last=False)[0])
        if self._free:
            return self._free.pop()
        slot = self._used
        self._used += 1
        self._reserve(self._used)
        return slot

    def _reserve(self, slots: int) -> None:
        size = min(
            room(slots, len(self._windows)), max(slots, self._most_recent + self._most_older + 1)
        )
        self._windows = Windows(*(grown(getattr(self._windows, name), size) for name in _COLUMNS))

    def _retire(self, slot: int) -> None:
        """From the ring to the reservoir, or out of the buffer (Vitter 1985, algorithm R)."""
        user = int(self._windows.users[slot])
        if self._open.get(user, (-1, 0))[0] == slot:
            del self._open[user]
        self._left += 1
        if len(self._older) < self._most_older:
            self._older.append(slot)
            return
        place = int(np.random.default_rng([self._seed, self._left]).integers(self._left))
        if place < self._most_older:
            slot, self._older[place] = self._older[place], slot
        self._free.append(slot)

    # ---- reading

    def sample(self, count: int, rng: np.random.Generator) -> Windows:
        """`count` windows with repeats, half recent, half older (all recent while nothing is
        older); none where it is empty.
        """
        recent, older = np.array(list(self._recent), np.int64), np.array(self._older, np.int64)
        share = count // 2 if len(recent) and len(older) else count * (len(older) > 0)
        wanted = ((recent, count - share), (older, share))
        drawn = [
            slots[rng.integers(len(slots), size=number)] for slots, number in wanted if len(slots)
        ]
        return self._windows.take(np.concatenate(drawn) if drawn else np.zeros(0, np.int64))

    def forget(self, name: str) -> int:
        """Removes all of a user's windows, returns how many. Nothing of them stays in memory."""
        user = digest(name)
        gone = {slot for slot in [*self._recent, *self._older] if self._windows.users[slot] == user}
        self._drop(gone)
        copies = np.flatnonzero(
            self._windows.users == user
        )  # freed slots may still hold an older one
        for column in _COLUMNS:
            getattr(self._windows, column)[copies] = 0
        return len(gone)

    def forget_items(self, gone: NDArray[np.bool_]) -> None:
        """Takes the events on items that are true in `gone` (capacity,) out of all windows."""
        windows, place = self._windows, np.arange(LENGTH + 1)
        here = place < windows.lengths[:, None]
        out = here & gone[windows.rows.clip(min=0)]
        some = np.flatnonzero(out.any(axis=1))
        here, out = here[some], out[some]
        lengths = (here & ~out).sum(axis=1)
        order = np.argsort(out | ~here, axis=1, kind="stable")
        for name in ("rows", "kinds", "ratings", "ts"):
            column = np.take_along_axis(getattr(windows, name)[some], order, axis=1)
            column[place >= lengths[:, None]] = -1 if name == "rows" else 0
            getattr(windows, name)[some] = column
        windows.first[some] &= ~out[:, 0]
        windows.lengths[some] = lengths
        empty = set(some[lengths == 0].tolist())
        self._drop(empty & {*self._recent, *self._older})

    def _drop(self, slots: set[int]) -> None:
        for slot in slots:
            self._recent.pop(slot, None)
            user = int(self._windows.users[slot])
            if self._open.get(user, (-1, 0))[0] == slot:
                del self._open[user]
        self._older = [slot for slot in self._older if slot not in slots]
        self._free += sorted(slots)

    # ---- checkpoints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All windows (recent first, in order) and where each user's open one stands."""
        slots = [*self._recent, *self._older]
        place = {slot: number for number, slot in enumerate(slots)}
        kept = self._windows.take(np.array(slots, np.int64))
        opened = [(user, place[slot], before) for user, (slot, before) in self._open.items()]
        state = np.array([len(self._recent), self._left], np.int64)
        return {name: getattr(kept, name) for name in _COLUMNS} | {
            "open": np.array(opened, np.int64).reshape(-1, 3),
            "state": state,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes the buffer whose `arrays()` these are."""
        count = len(arrays["rows"])
        self._used, self._free = count, []
        self._windows = Windows(*(np.array(arrays[name]) for name in _COLUMNS))
        recent, self._left = (int(number) for number in arrays["state"])
        self._recent = OrderedDict.fromkeys(range(recent))
        self._older = list(range(recent, count))
        self._open = {int(user): (int(slot), int(before)) for user, slot, before in arrays["open"]}
