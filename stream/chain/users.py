"""Users' states with a bounded hot copy in front of the store: one read a new user, one write a
micro-batch.

The hot copy is only right while this worker owns the users' partitions: `clear` it when partitions
move.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.chain.fold import empty_state
from upwell.ports import UserStore
from upwell.system.lru import Lru
from upwell.values import UserState

__all__ = ["Users"]


class Users:
    """capacity: how many states stay in memory; the least recently used leave first."""

    def __init__(self, store: UserStore, capacity: int, dimension: int) -> None:
        self._store = store
        self._dimension = dimension
        self._hot: Lru[str, UserState] = Lru(capacity)

    def __len__(self) -> int:
        return len(self._hot)

    def read(self, users: Sequence[str]) -> dict[str, UserState]:
        """The state of each user; an empty one for a user nobody has seen."""
        missing = [user for user in users if user not in self._hot]
        found = dict(zip(missing, self._store.read_users(missing), strict=True)) if missing else {}
        return {
            user: self._hot.get(user) or found[user] or empty_state(user, self._dimension)
            for user in users
        }

    def write(self, states: Sequence[UserState]) -> list[str]:
        """Write to the store, then keep hot.

        Returns the users whose stored state is newer than what this worker knew.
        """
        refused = self._store.write_users(states) if states else []
        for user in refused:
            self._hot.pop(user, None)
        for state in states:
            if state.user not in refused:
                self._hot[state.user] = state
        return refused

    def forget(self, users: Sequence[str]) -> None:
        """Remove them from the store and from memory."""
        if users:
            self._store.forget_users(users)
        for user in users:
            self._hot.pop(user, None)

    def clear(self) -> None:
        """Drop the hot copy: another worker may have written since."""
        self._hot.clear()
