"""What commands ask of the one process that may open the store: a copy of the embedded one for
`upwell snapshot`, some users' states for `upwell export`. It knows nothing about either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from store.codec import encode_user
from upwell.errors import StoreError
from upwell.system.errands import answer_errand
from upwell.system.files import write_whole
from upwell.values import UserState

__all__ = ["answer_commands", "copy_store_if_asked", "copy_users_if_asked"]


class Copied(Protocol):
    """A store that lies in files."""

    def copy(self, target: Path) -> None: ...


class Read(Protocol):
    """A store of users."""

    def read_users(self, users: Sequence[str]) -> list[UserState | None]: ...


class Asked(Copied, Read, Protocol):
    """Both."""


def answer_commands(store: Asked, folder: Path) -> bool:
    """Whether something was asked on `folder`. Called between users' batches; writes wait
    meanwhile.
    """
    copied = copy_store_if_asked(store, folder)
    return copy_users_if_asked(store, folder) or copied


def copy_store_if_asked(store: Copied, folder: Path) -> bool:
    """Whether a copy was asked for. One that fails is the answer, and ends nothing here."""

    def copy(asked: Mapping[str, Any]) -> None:
        store.copy(Path(asked["target"]))

    return answer_errand(folder, "store-copy", copy, (StoreError, OSError))


def copy_users_if_asked(store: Read, folder: Path) -> bool:
    """Whether states were asked for: JSON of the points of `users` (pseudonyms), null for who has
    none, whole in the file `target`. What fails is the answer.
    """

    def copy(asked: Mapping[str, Any]) -> None:
        found = store.read_users(asked["users"])
        points = [None if one is None else encode_user(one, len(one.intent)) for one in found]
        rows = [one and {"vector": one.vector.tolist(), "payload": one.payload} for one in points]
        write_whole(Path(asked["target"]), orjson.dumps(rows))

    return answer_errand(folder, "user-copy", copy, (StoreError, OSError))
