"""The reference: users and items in two dictionaries. Nothing outlives the process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from store.codec import encode_item, encode_user
from store.port import StoreHealth
from store.schema import Point, check_id, newest
from upwell.errors import StoreError
from upwell.values import CatalogueItem, UserState

__all__ = ["MemoryStore"]


class MemoryStore:
    """Both ports in memory.

    What another adapter could not store is refused here too. Safe to call from several threads.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._users: dict[str, UserState] = {}
        self._items: dict[str, CatalogueItem] = {}
        self._lock = threading.Lock()
        self._closed = False

    def read_users(self, users: Sequence[str]) -> list[UserState | None]:
        _check_ids(users, "user")
        with self._lock:
            self._check_open()
            return [self._users.get(user) for user in users]

    def write_users(self, states: Sequence[UserState]) -> list[str]:
        points = [encode_user(state, self._dimension) for state in states]
        value_of = {id(point): state for point, state in zip(points, states, strict=True)}
        refused = []
        with self._lock:
            self._check_open()
            for point in newest(points, last_of_equals=False):
                stored = self._users.get(point.name)
                if stored is not None and point.sequence <= stored.sequence:
                    refused.append(point.name)
                else:
                    self._users[point.name] = value_of[id(point)]
        return refused

    def forget_users(self, users: Sequence[str]) -> None:
        _check_ids(users, "user")
        with self._lock:
            self._check_open()
            for user in users:
                self._users.pop(user, None)

    def read_items(self, item_ids: Sequence[str]) -> list[CatalogueItem | None]:
        _check_ids(item_ids, "item")
        with self._lock:
            self._check_open()
            return [self._items.get(item_id) for item_id in item_ids]

    def write_items(self, items: Sequence[CatalogueItem]) -> list[str]:
        points: list[Point] = [encode_item(item, self._dimension) for item in items]
        value_of = {id(point): item for point, item in zip(points, items, strict=True)}
        refused = []
        with self._lock:
            self._check_open()
            for point in newest(points, last_of_equals=True):
                stored = self._items.get(point.name)
                if stored is not None and point.sequence < stored.sequence:
                    refused.append(point.name)
                else:
                    self._items[point.name] = value_of[id(point)]
        return refused

    def copy(self, target: Path) -> None:
        raise StoreError("the store (memory) has no files of its own to copy")

    def close(self) -> None:
        self._closed = True

    def health(self) -> StoreHealth:
        with self._lock:
            self._check_open()
            return StoreHealth("memory", "this process", len(self._users), len(self._items))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed: open it again")


def _check_ids(names: Sequence[str], what: str) -> None:
    for name in names:
        check_id(name, what)
