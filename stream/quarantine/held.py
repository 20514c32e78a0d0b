"""The examples that wait, by user, each with the item that it is held for; bounded.

It knows nothing about why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from upwell.system.lru import Lru
from upwell.values import Example

__all__ = ["MOST_HELD", "RELEASED", "Held", "HeldExamples", "released"]

MOST_HELD = 5_000
"""Examples. Beyond, those of the user who was held the longest ago are dropped."""
RELEASED = "released"
"""The source of examples that waited: the learner's watermark of their own source has gone on."""


@dataclass(frozen=True, slots=True)
class Held:
    """example, held for what it teaches of `item_id`, since `at_ms`, UTC."""

    item_id: str
    at_ms: int
    example: Example


class HeldExamples:
    """By user, in the order in which they came. dropped: examples that will teach nothing."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._of: Lru[str, list[Held]] = Lru(most)
        self._items: Counter[str] = Counter()
        self.dropped = 0

    def __len__(self) -> int:
        return self._items.total()

    def __iter__(self) -> Iterator[Held]:
        for some in self._of.values():
            yield from some

    def add(self, one: Held) -> None:
        """Behind the user's others."""
        user = one.example.user
        if user not in self._of:
            self._of[user] = []
        self._of[user].append(one)
        self._items[one.item_id] += 1
        while len(self) > self._most:
            self.dropped += len(self.take(_all, next(iter(self._of))))

    def items(self, user: str) -> set[str]:
        """That the user's examples are held for."""
        return {one.item_id for one in self._of.get(user, ())}

    def holds(self, item_ids: Iterable[str]) -> bool:
        """Something for any of them."""
        return any(self._items[one] for one in item_ids)

    def of_item(self, item_id: str) -> tuple[int, int]:
        """How many examples are held for it, and of how many users."""
        count = self._items[item_id]
        if not count:
            return 0, 0
        users = {one.example.user for one in self if one.item_id == item_id}
        return count, len(users)

    def take(self, wanted: Callable[[Held], bool], user: str | None = None) -> list[Held]:
        """Those that are wanted, which are held no more. user: of this user alone."""
        taken: list[Held] = []
        for name in [user] if user is not None else list(self._of):
            some = self._of.get(name, [])
            out = [one for one in some if wanted(one)]
            if not out:
                continue
            taken += out
            if kept := [one for one in some if not wanted(one)]:
                self._of[name][:] = kept
            else:
                del self._of[name]
        self._items.subtract(one.item_id for one in taken)
        self._items += Counter()  # without those of none
        return taken


def _all(_: Held) -> bool:
    return True


def released(one: Held, serial: int) -> Example:
    """As the learner takes it, late: it teaches and is not tested."""
    event = replace(one.example.event, source=RELEASED, offset=serial)
    return replace(
        one.example, source=RELEASED, offset=serial, event=event, tested=False, had=(), beside=()
    )
