"""Both ports over two collections of points, whatever keeps them: checks, packing, and whose states
were refused.

It knows no backend; the collections (`store.edge`, `store.server`) know neither users nor items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from store.codec import decode_item, decode_user, encode_item, encode_user
from store.port import StoreHealth
from store.schema import Point, check_id, newest, point_id
from upwell.errors import StoreError
from upwell.values import CatalogueItem, UserState

__all__ = ["Collection", "PointStore", "StoredPoint"]


class StoredPoint(NamedTuple):
    """A point as a backend gives it back."""

    vector: list[float]
    payload: dict[str, Any]


class Collection(Protocol):
    """Points of one kind in one backend.

    Each method raises `StoreError` when the backend fails or is closed.
    """

    def fetch(self, ids: Sequence[str]) -> list[StoredPoint]:
        """Those of the points that exist, in any order."""
        ...

    def upsert(self, points: Sequence[Point]) -> set[str]:
        """Write each point unless the stored sequence forbids it, atomically per point; the ids of
        the refused ones.
        """
        ...

    def delete(self, ids: Sequence[str]) -> None: ...

    def count(self) -> int: ...


class PointStore:
    """A `Store` over two collections. `close_backend` is called once, by the first `close`."""

    def __init__(
        self,
        *,
        kind: str,
        where: str,
        dimension: int,
        users: Collection,
        items: Collection,
        close_backend: Callable[[], None],
        copy_backend: Callable[[Path], None] | None = None,
    ) -> None:
        self._kind = kind
        self._where = where
        self._dimension = dimension
        self._users = users
        self._items = items
        self._close_backend = close_backend
        self._copy_backend = copy_backend
        self._closed = False

    def read_users(self, users: Sequence[str]) -> list[UserState | None]:
        self._check_open()
        found = (decode_user(*point) for point in self._users.fetch(_point_ids(users, "user")))
        states = {state.user: state for state in found}
        return [states.get(user) for user in users]

    def write_users(self, states: Sequence[UserState]) -> list[str]:
        self._check_open()
        points = newest(
            [encode_user(state, self._dimension) for state in states], last_of_equals=False
        )
        refused = self._users.upsert(points)
        return [point.name for point in points if point.id in refused]

    def forget_users(self, users: Sequence[str]) -> None:
        self._check_open()
        self._users.delete(_point_ids(users, "user"))

    def read_items(self, item_ids: Sequence[str]) -> list[CatalogueItem | None]:
        self._check_open()
        found = (decode_item(*point) for point in self._items.fetch(_point_ids(item_ids, "item")))
        items = {item.item_id: item for item in found}
        return [items.get(item_id) for item_id in item_ids]

    def write_items(self, items: Sequence[CatalogueItem]) -> list[str]:
        self._check_open()
        points = newest([encode_item(item, self._dimension) for item in items], last_of_equals=True)
        refused = self._items.upsert(points)
        return [point.name for point in points if point.id in refused]

    def copy(self, target: Path) -> None:
        """Writes what it holds now to the folder `target`, anew; it may be opened like the one it
        is of.

        Raises `StoreError` where it lies in no files of this process, `OSError`.
        """
        self._check_open()
        if self._copy_backend is None:
            raise StoreError(f"the store ({self._kind}) has no files of its own to copy")
        self._copy_backend(target)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._close_backend()

    def health(self) -> StoreHealth:
        self._check_open()
        return StoreHealth(self._kind, self._where, self._users.count(), self._items.count())

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed: open it again")


def _point_ids(names: Sequence[str], what: str) -> list[str]:
    for name in names:
        check_id(name, what)
    return [point_id(name) for name in dict.fromkeys(names)]
