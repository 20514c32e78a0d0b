"""The newest list of each user on each surface, as its bytes came, and who was forgotten since.

In memory, bounded, filled from `recommendations` and `controls` in any order. It knows nothing
about Kafka.
"""

from __future__ import annotations

from collections import defaultdict

import orjson

from upwell.system.lru import Lru

__all__ = ["MOST_SURFACES", "NewestLists", "surface_of"]

MOST_SURFACES = 8
"""Of a user whose lists are held, those whose lists came last."""


def surface_of(value: bytes) -> str | None:
    """Where a list is shown; None of one that says nothing of it, or that somebody else wrote."""
    try:
        surface = orjson.loads(value)["surface"]
    except (ValueError, KeyError, TypeError):
        return None
    return surface if isinstance(surface, str) else None


class NewestLists:
    """users: whose list is held at most, those whose came last. Times are those of the append, UTC
    ms. Belongs to one thread.
    """

    def __init__(self, users: int) -> None:
        self._lists: Lru[str, Lru[str | None, tuple[int, bytes]]] = Lru(users)
        self._forgotten: dict[str, int] = {}
        self._guests: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._lists)

    def get(self, user_id: str, surface: str | None = None) -> bytes | None:
        """The JSON of the list, None where none is held. Without a surface: of lists without."""
        held = self._lists.get(user_id, Lru(0)).get(surface)
        return None if held is None else held[1]

    def put(self, user_id: str, appended_ms: int, value: bytes, surface: str | None = None) -> bool:
        """Whether it is the newest, and of nobody who was forgotten since."""
        lists = self._lists.get(user_id, Lru(MOST_SURFACES))
        held = lists.get(surface)
        if held is not None and held[0] > appended_ms:
            return False
        if appended_ms <= self._forgotten.get(user_id, -1):
            return False
        lists[surface] = (appended_ms, value)
        self._lists[user_id] = lists
        return True

    def merge(self, guest: str, into: str, merged_ms: int) -> None:
        """A guest became a user, with whom they are to be forgotten from then on."""
        self._guests[into][guest] = merged_ms
        asked_ms = self._forgotten.get(into, -1)
        if merged_ms <= asked_ms:  # read later than what came later: they are in two partitions
            self.forget(guest, asked_ms)

    def forget(self, user_id: str, asked_ms: int) -> None:
        """What was appended by then, of the user and their guests, is not shown any more."""
        told: set[str] = set()
        waiting = [user_id]
        while waiting:
            one = waiting.pop()
            told.add(one)
            merged = self._guests.get(one, {})
            waiting += [
                guest for guest, at in merged.items() if at <= asked_ms and guest not in told
            ]
            self._forgotten[one] = max(asked_ms, self._forgotten.get(one, -1))
            self._drop(one, asked_ms)

    def _drop(self, user_id: str, asked_ms: int) -> None:
        lists = self._lists.get(user_id, Lru(0))
        for surface in [one for one, (at, _) in lists.items() if at <= asked_ms]:
            del lists[surface]
        if not lists:
            self._lists.pop(user_id, None)
