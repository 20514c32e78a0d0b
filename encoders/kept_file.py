"""The file of kept vectors: SQLite's, opened, read, written and removed. It knows neither texts nor
models: `encoders.kept` says what is kept and what happens when something fails here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from upwell.system.lock import lock

__all__ = [
    "SUFFIX",
    "Row",
    "checksum_of",
    "count",
    "is_damage",
    "locked",
    "make_room",
    "opened",
    "remove",
    "rows",
    "write",
]

SUFFIX = ".vectors.sqlite3"
LAYOUT = 1  # of the file; another one is made anew
PAGE_BYTES = 16_384  # ten vectors of 384 numbers a page, two in SQLite's own 4,096
BUSY_SECONDS = 10.0
KEYS_A_LOOK = 250

Row = tuple[bytes, bytes, bytes]
"""Key, vector, checksum of both."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_PARTS = ("", "-wal", "-shm", "-journal")
_TABLE = (
    "CREATE TABLE IF NOT EXISTS vectors (place INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, "
    "vector BLOB NOT NULL, checksum BLOB NOT NULL)"
)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time opens, makes anew or removes files of the folder. Raises `OSError`."""
    descriptor = lock(folder / "vectors.lock")
    try:
        yield
    finally:
        os.close(descriptor)


def opened(path: Path) -> sqlite3.Connection:
    """The file, made where there is none, for its owner alone. Raises `sqlite3.Error`,
    `OSError`.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    os.utime(path)  # used today
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may cost the latest, no more
        [layout] = connection.execute("PRAGMA user_version").fetchone()
        if layout not in (0, LAYOUT):
            raise sqlite3.DatabaseError(f"layout {layout}, not {LAYOUT}")
        connection.execute(_TABLE)
        connection.execute("SELECT place, key, vector, checksum FROM vectors LIMIT 1").fetchall()
        if layout != LAYOUT:
            connection.execute(f"PRAGMA user_version={LAYOUT}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def is_damage(exc: sqlite3.Error) -> bool:
    """Of the file; not that another holds it, that the disk is full or may not be written."""
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF in _DAMAGED


def rows(connection: sqlite3.Connection, keys: Sequence[bytes]) -> list[Row]:
    """Those of `keys` that there are. Raises `sqlite3.Error`."""
    rows = []
    for start in range(0, len(keys), KEYS_A_LOOK):
        some = keys[start : start + KEYS_A_LOOK]
        places = ",".join("?" * len(some))
        rows += connection.execute(
            f"SELECT key, vector, checksum FROM vectors WHERE key IN ({places})",  # noqa: S608
            some,
        ).fetchall()
    return rows


def write(connection: sqlite3.Connection, rows: Sequence[Row], most_rows: int) -> None:
    """Add `rows`, in place of those with their keys, and remove the oldest beyond `most_rows`.
    Raises `sqlite3.Error`.
    """
    with connection:
        connection.executemany(
            "INSERT OR REPLACE INTO vectors (key, vector, checksum) VALUES (?, ?, ?)", rows
        )
        connection.execute(
            "DELETE FROM vectors WHERE place <= (SELECT max(place) FROM vectors) - ?", (most_rows,)
        )


def count(connection: sqlite3.Connection) -> int:
    """How many rows there are. Raises `sqlite3.Error`."""
    [count] = connection.execute("SELECT count(*) FROM vectors").fetchone()
    return int(count)


def checksum_of(key: bytes, blob: bytes) -> bytes:
    """8 bytes."""
    return blake2b(blob, digest_size=8, key=key).digest()


def make_room(folder: Path, own: Path, most_bytes: int) -> None:
    """Remove other models' files, the longest unused first, while all are more than `most_bytes`.
    Raises `OSError`.
    """
    files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    for file in files:
        if total > most_bytes and file != own:
            total -= file.stat().st_size
            remove(file)


def remove(path: Path) -> None:
    """The file with what SQLite keeps beside it, where they are. Raises `OSError`."""
    for part in _PARTS:
        path.with_name(path.name + part).unlink(missing_ok=True)
