"""How much of each user counts: at most so many items, each once, and so much of what they teach,
for good. It knows nothing about noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.release.users import digest

__all__ = ["Bounds"]


class Bounds:
    """items: of a user at most that count. lessons: of a user at most that teach.

    A user is kept as 64 bits of a hash of their pseudonym, with the rows of items that counted.
    """

    def __init__(self, items: int, lessons: int) -> None:
        self._most_items = items
        self._most_lessons = lessons
        self._items: dict[int, list[int]] = {}
        self._lessons: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._items.keys() | self._lessons.keys())

    def count(self, user: str, row: int) -> int | None:
        """Which of the user's items this one is, from 0; None where it does not count: they had it
        before, or had as many as count.
        """
        items = self._items.setdefault(digest(user), [])
        if len(items) >= self._most_items or row in items:
            return None
        items.append(row)
        return len(items) - 1

    def teach(self, user: str) -> bool:
        """Whether the user may teach once more."""
        name = digest(user)
        done = self._lessons.get(name, 0)
        if done >= self._most_lessons:
            return False
        self._lessons[name] = done + 1
        return True

    def forget(self, user: str) -> None:
        """Keeps nothing of the user but that nothing of theirs counts any more: what they added
        stays added, so that who comes back may not add as much again.
        """
        name = digest(user)
        if name in self._items or name in self._lessons:
            self._items[name] = [-1] * self._most_items
            self._lessons[name] = self._most_lessons

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        users = sorted(self._items.keys() | self._lessons.keys())
        items = [self._items.get(user, []) for user in users]
        return {
            "users": np.array(users, np.int64),
            "sizes": np.array([len(one) for one in items], np.int32),
            "items": np.array([row for one in items for row in one], np.int32),
            "lessons": np.array([self._lessons.get(user, 0) for user in users], np.int32),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse."""
        ends = np.cumsum(arrays["sizes"]).tolist()
        starts: Sequence[int] = [0, *ends]
        users = arrays["users"].tolist()
        self._items = {
            user: arrays["items"][starts[place] : ends[place]].tolist()
            for place, user in enumerate(users)
        }
        self._lessons = dict(zip(users, arrays["lessons"].tolist(), strict=True))
