"""Vectors of a catalogue's texts on this machine's disk, so that the second start of the same
catalogue encodes nothing.

SQLite of the standard library, one file a model and length of vectors, by the text's content. What
users write never comes here: only the lane for bulk has it in front (`encoders.cache`).
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import numpy as np

from encoders import kept_file
from upwell.system.files import cache_folder
from upwell.values import Vector

__all__ = ["OFF", "KeptVectors", "kept_folder"]

OFF = "off"
ROW_BYTES = 100  # of a row beside its vector: key, checksum, index
UNIT_TOLERANCE = 1e-3

log = logging.getLogger("upwell.encoder")

_Found = TypeVar("_Found")


def kept_folder(wanted: str | None) -> Path | None:
    """Of the setting: None is the cache of this machine's user, `off` none."""
    if wanted == OFF:
        return None
    try:
        return (
            cache_folder() / "vectors" if wanted is None else Path(wanted).expanduser().absolute()
        )
    except RuntimeError as exc:  # a user without a home, as some containers have
        log.warning(
            "vectors of the catalogue are not kept on disk (%s): set UPWELL_VECTORS to a folder, "
            "or to off",
            exc,
        )
        return None


class KeptVectors:
    """Safe to call from several threads, and for several processes on one folder.

    folder: made when needed, for its owner alone. model: everything that decides the vectors.
    most_bytes: of this model's, about, the oldest leave; other models' files leave before, the
    longest unused first, until all together are no more. A file that is damaged is made anew; one
    that cannot be read or written is left alone for the rest of this process. Both are said once
    and neither is an error: what is not found is encoded.
    """

    def __init__(self, folder: Path, model: str, dimension: int, most_bytes: int) -> None:
        digest = blake2b(f"{model}/{dimension}".encode(), digest_size=8).hexdigest()
        readable = re.sub(r"[^\w.@-]", "-", model)[-100:].lstrip(".-")
        self.path = folder / f"{readable}-{digest}{kept_file.SUFFIX}"
        self._length = dimension * 4
        self._most_rows = max(1, most_bytes // (self._length + ROW_BYTES))
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._made_anew = False
        self._told_of_rows = False
        self._open(most_bytes)

    def __len__(self) -> int:
        return self._guarded(kept_file.count, 0)

    @property
    def in_use(self) -> bool:
        """False where the file cannot be read or written."""
        return self._connection is not None

    def read(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Those that are kept and whole, each an array of its own."""
        none: list[kept_file.Row] = []
        rows = self._guarded(lambda connection: kept_file.rows(connection, keys), none)
        whole = {
            key: vector
            for key, blob, checksum in rows
            if isinstance(blob, bytes)  # SQLite's columns hold any type
            and checksum == kept_file.checksum_of(key, blob)
            and (vector := self._vector(blob)) is not None
        }
        if len(whole) < len(rows) and not self._told_of_rows:
            self._told_of_rows = True
            log.warning("vectors in %s are damaged: they are encoded anew", self.path)
        return whole

    def write(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep them. What is no unit vector of the right length is not kept."""
        blobs = {key: np.asarray(one, "<f4").tobytes() for key, one in vectors.items()}
        rows = [
            (key, blob, kept_file.checksum_of(key, blob))
            for key, blob in blobs.items()
            if self._vector(blob) is not None
        ]
        self._guarded(lambda connection: kept_file.write(connection, rows, self._most_rows), None)

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._drop()

    def _vector(self, blob: bytes) -> Vector | None:
        """None where it cannot be one of this model's."""
        if len(blob) != self._length:
            return None
        vector = np.frombuffer(blob, "<f4").astype(np.float32)
        return vector if abs(float(vector @ vector) - 1.0) < UNIT_TOLERANCE else None

    def _guarded(self, work: Callable[[sqlite3.Connection], _Found], otherwise: _Found) -> _Found:
        with self._lock:
            if self._connection is None:
                return otherwise
            try:
                return work(self._connection)
            except sqlite3.Error as exc:
                self._drop()
                if kept_file.is_damage(exc) and not self._made_anew:
                    self._open_anew(exc)
                else:
                    self._leave(exc)
                return otherwise

    def _open(self, most_bytes: int) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with kept_file.locked(folder):
                kept_file.make_room(folder, self.path, most_bytes)
                self._connection = kept_file.opened(self.path)
        except sqlite3.Error as exc:
            if kept_file.is_damage(exc):
                self._open_anew(exc)
            else:
                self._leave(exc)
        except OSError as exc:
            self._leave(exc)

    def _open_anew(self, why: sqlite3.Error) -> None:
        self._made_anew = True
        log.warning("vectors kept in %s are damaged (%s): they are made anew", self.path, why)
        try:
            with kept_file.locked(self.path.parent):
                kept_file.remove(self.path)
                self._connection = kept_file.opened(self.path)
        except (sqlite3.Error, OSError) as exc:
            self._leave(exc)

    def _leave(self, why: Exception) -> None:
        log.warning(
            "vectors cannot be kept in %s (%s): every start encodes the catalogue again; set "
            "UPWELL_VECTORS to a folder of your own on a local disk, or to off",
            self.path,
            why,
        )

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
