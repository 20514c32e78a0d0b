"""A file of one serve worker: what its model took in since it last began from a checkpoint, in the
order in which it did, and between that each call that made lists.

It is SQLite's, so that `upwell explain` may read while the worker writes, and a forgotten user's
rows go at once. It knows nothing about models.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from upwell.errors import StoreError

__all__ = [
    "BASE",
    "FOLDER",
    "LISTS",
    "Evidence",
    "Kept",
    "Step",
    "evidence_file",
    "evidence_files",
    "remove",
]

FOLDER = "evidence"
SUFFIX = ".sqlite3"
LAYOUT = 1
BUSY_SECONDS = 10.0
BASE, LISTS = "base", "lists"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS steps (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
    "value BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS bases ON steps (number) WHERE kind = 'base'",
    "CREATE TABLE IF NOT EXISTS lists (step INTEGER NOT NULL, place INTEGER NOT NULL, "
    "list_id TEXT NOT NULL, user TEXT NOT NULL, at INTEGER NOT NULL, request BLOB NOT NULL, "
    "entries BLOB NOT NULL, PRIMARY KEY (step, place)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS by_id ON lists (list_id)",
    "CREATE INDEX IF NOT EXISTS by_user ON lists (user, at)",
    "CREATE INDEX IF NOT EXISTS by_time ON lists (at)",
)
_LISTS = "SELECT step, place, list_id, user, at, request, entries FROM lists"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a model took in, or a call that made lists: number grows, kind is one of
    `stream.explain.recorded`.
    """

    number: int
    kind: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A list: in which step, at which place of its call; when, UTC ms; what was asked, what came
    of it.
    """

    step: int
    place: int
    list_id: str
    user: str
    at: int
    request: bytes
    entries: bytes


class Evidence:
    """The file at `path`, made where there is none, for its owner alone. All raise `StoreError`.
    One thread writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # a power cut may cost the latest
            self._db.execute("PRAGMA secure_delete=ON")
            [layout] = self._db.execute("PRAGMA user_version").fetchone()
            if layout not in (0, LAYOUT):
                raise StoreError(f"{path} was written by another version of Upwell: remove it")
            for table in _TABLES:
                self._db.execute(table)
            self._db.execute(f"PRAGMA user_version={LAYOUT}")

    # ---- for who writes

    def add(self, kind: str, value: bytes) -> None:
        """One more step."""
        with self._faults():
            self._db.execute("INSERT INTO steps (kind, value) VALUES (?, ?)", (kind, value))

    def add_lists(
        self, value: bytes, at: int, rows: Sequence[tuple[str, str, bytes, bytes]]
    ) -> None:
        """One more call, with of each list its id, the user's pseudonym, request and entries."""
        with self._faults(), self._whole():
            step = self._db.execute(
                "INSERT INTO steps (kind, value) VALUES (?, ?)", (LISTS, value)
            ).lastrowid
            self._db.executemany(
                "INSERT INTO lists VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (step, place, list_id, user, at, request, entries)
                    for place, (list_id, user, request, entries) in enumerate(rows)
                ],
            )

    def forget(self, until: Mapping[str, int]) -> int:
        """Lists of these users that were made until then, UTC ms; how many there were. Their bytes
        are written over.
        """
        with self._faults():
            with self._whole():
                gone = sum(
                    self._db.execute(
                        "DELETE FROM lists WHERE user = ? AND at <= ?", (user, at)
                    ).rowcount
                    for user, at in until.items()
                )
            if gone:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def prune(self, before: int) -> None:
        """Lists from before then (UTC ms) go, and what no list is made of any more."""
        with self._faults(), self._whole():
            self._db.execute("DELETE FROM lists WHERE at < ?", (before,))
            [needed] = self._db.execute(
                "SELECT max(number) FROM steps WHERE kind = 'base' AND number <= "
                "coalesce((SELECT min(step) FROM lists), (SELECT max(number) FROM steps))"
            ).fetchone()
            if needed is not None:
                self._db.execute("DELETE FROM steps WHERE number < ?", (needed,))

    # ---- for who reads

    def lists(self, list_id: str) -> list[Kept]:
        """Those of this id, newest first: a batch that was done again made it again."""
        return self._kept("list_id = ? ORDER BY step DESC, place DESC", list_id)

    def of_step(self, step: int) -> list[Kept]:
        """The lists of a call that are still held, by their place."""
        return self._kept("step = ? ORDER BY place", step)

    def of_user(self, user: str) -> list[Kept]:
        """The lists of a pseudonym, oldest first."""
        return self._kept("user = ? ORDER BY step, place", user)

    def newest(self) -> str | None:
        """The id of the list that was made last."""
        with self._faults():
            row = self._db.execute(
                "SELECT list_id FROM lists WHERE list_id <> '' ORDER BY step DESC, place DESC"
            ).fetchone()
        return None if row is None else str(row[0])

    def before(self, step: int) -> Iterator[Step]:
        """From the last beginning before `step` all that was taken in, and `step` itself; nothing
        where the beginning is gone.
        """
        with self._faults():
            [base] = self._db.execute(
                "SELECT max(number) FROM steps WHERE kind = 'base' AND number <= ?", (step,)
            ).fetchone()
            for row in self._db.execute(
                "SELECT number, kind, value FROM steps WHERE number BETWEEN ? AND ? "
                "ORDER BY number",
                (step + 1 if base is None else base, step),
            ):
                yield Step(*row)

    def close(self) -> None:
        self._db.close()

    def _kept(self, where: str, value: str | int) -> list[Kept]:
        with self._faults():
            return [
                Kept(*row)
                for row in self._db.execute(
                    f"{_LISTS} WHERE {where}",
                    (value,),
                )
            ]

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All of it or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(
                f"what lists were made of cannot be kept or read in {self.path}: {exc}; make room "
                "there, remove the file, or set UPWELL_EXPLAIN=0"
            ) from exc


def evidence_file(data: Path, instance: str) -> Path:
    """Of a worker of this name."""
    return data / FOLDER / f"{quote(instance, safe='')}{SUFFIX}"


def remove(path: Path) -> None:
    """The file, with what SQLite keeps beside it, where they are. Raises `StoreError`."""
    try:
        for part in ("", "-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)
    except OSError as exc:
        raise StoreError(f"{path} cannot be removed: {exc.strerror}; remove it") from exc


def evidence_files(data: Path) -> list[Path]:
    """Of all workers whose data are kept there."""
    return sorted((data / FOLDER).glob(f"*{SUFFIX}"))
