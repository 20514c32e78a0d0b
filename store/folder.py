"""A store's folder: one owner at a time by an flock'd file, the dimension written down, and room on
its disk.

It knows nothing about what lies in the folder beside `owner.lock` and `store.json`.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from upwell.errors import StoreError
from upwell.system.files import write_whole
from upwell.system.lock import holder, try_lock

__all__ = ["MIN_FREE_BYTES", "StoreFolder"]

MEBIBYTE = 2**20
MIN_FREE_BYTES = 64 * MEBIBYTE


class StoreFolder:
    """A folder held by this process until `close`, or until the process ends in any way. Raises
    `StoreError` naming the owner.

    `min_free_bytes`: the store writes through memory maps, where a full disk kills the process
    instead of failing a call.
    """

    def __init__(self, path: Path, dimension: int, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self.path = path
        self._min_free_bytes = min_free_bytes
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock: int | None = _take_lock(path / "owner.lock")
        except OSError as exc:
            raise _unusable(path, exc) from exc
        try:
            self.check_room()
            self._check_dimension(dimension)
        except StoreError:
            self.close()
            raise

    def check_room(self) -> None:
        """Raises `StoreError` when the disk is nearly full, while there is still room to end in
        order.
        """
        free = shutil.disk_usage(self.path).free
        if free < self._min_free_bytes:
            raise StoreError(
                f"disk of store folder {self.path} is full ({free // MEBIBYTE} MiB left, "
                f"{self._min_free_bytes // MEBIBYTE} "
                "needed): free space or move the folder"
            )

    def close(self) -> None:
        """Let the next owner in."""
        held, self._lock = self._lock, None
        if held is not None:
            os.close(held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_dimension(self, dimension: int) -> None:
        record = self.path / "store.json"
        try:
            if not record.exists():
                write_whole(record, json.dumps({"format": 1, "dimension": dimension}).encode())
            stored = json.loads(record.read_text(encoding="utf-8"))["dimension"]
        except OSError as exc:
            raise _unusable(self.path, exc) from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise StoreError(
                f"{record} is damaged: name another store folder, or delete this one and replay"
            ) from exc
        if stored != dimension:
            raise StoreError(
                f"store folder {self.path} holds vectors of {stored} dimensions, but the "
                f"encoder gives {dimension}: "
                "use the encoder that made them, or name another folder and replay"
            )


def _unusable(path: Path, exc: OSError) -> StoreError:
    return StoreError(
        f"store folder {path} cannot be used ({exc.strerror}): make it writable or name another"
    )


def _take_lock(path: Path) -> int:
    held = try_lock(path)
    if held is None:
        owner = holder(path)
        who = "an unknown process" if owner is None else f"process {owner}"
        raise StoreError(
            f"store folder {path.parent} is in use by {who}: stop it, or name another folder"
        )
    return held
