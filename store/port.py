"""What `open_store` returns: both ports of `upwell`, and the life of the store. It knows no
adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from upwell.ports import ItemStore, UserStore

__all__ = ["Store", "StoreHealth"]


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """A store that answered.

    `where`: its folder or address, without secrets; `users`, `items`: how many it holds.
    """

    kind: str
    where: str
    users: int
    items: int


class Store(UserStore, ItemStore, Protocol):
    """Users and items in one place. Opened once by the worker that owns them, closed by it; `close`
    may be called twice.

    In one batch the highest sequence of an id stands for it, whatever the order; of equal ones the
    first user state and the last item. Only the one that stands is written or refused, and a
    refused id is returned once, in the order of the batch.
    """

    def close(self) -> None: ...

    def copy(self, target: Path) -> None:
        """Writes what it holds now to the folder `target`, anew. Raises `StoreError` where it lies
        in no files of this process, `OSError`.
        """
        ...

    def health(self) -> StoreHealth:
        """Ask the store itself. Raises `StoreError` when it is closed or does not answer."""
        ...
