"""The model's versions: which can be gone back to, what the guard ruled, and going back, which
learn does where it is asked (docs/operations.md).

It knows nothing about HTTP but how a refusal is called.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gateway.edge.refusals import Refused
from learner.release import checkpoint
from learner.release.folder import ModelsFolder
from learner.release.replica import Replica
from stream.broker.model_records import KIND, ROLLBACK, RULING, Version
from stream.broker.rollback import ask_learner
from stream.chain.records import BroadcastRecord
from stream.serve.model_reader import ModelReader
from upwell.errors import ModelError, SnapshotError

__all__ = ["RulingsReader", "Versions"]

MOST_RULINGS = 50


class Versions:
    """folder: of the checkpoints. home: where learn is asked. Safe to use from several threads."""

    def __init__(self, folder: ModelsFolder, home: Path) -> None:
        self._folder = folder
        self._home = home
        self._rulings: deque[dict[str, Any]] = deque(maxlen=MOST_RULINGS)
        self._names: dict[str, str] = {}
        self._asking = threading.Lock()

    def hear(self, record: BroadcastRecord) -> None:
        """The next record of `models`: a ruling of the guard, or that somebody went back, is kept.
        Raises `ModelError` for one of another writer.
        """
        kind = record.headers.get(KIND)
        if kind == RULING:
            told = _ruling(record.value)
        elif kind == ROLLBACK:
            told = {"verdict": "went_back", "version": Version.read(record.value).version}
        else:
            return
        self._rulings.append({**told, "at": record.appended_ms})

    def rulings(self) -> list[dict[str, Any]]:
        """The latest first; as far back as `models` is kept, which is cut off at each version."""
        return list(self._rulings)[::-1]

    def versions(self) -> list[str]:
        """That checkpoints hold, the newest first. Reads files; raises `ModelError`."""
        there = [one.name for one in checkpoint.every(self._folder)]
        # a checkpoint never changes: each is read once
        found = {name: self._names.get(name) or self._version(name) for name in there}
        self._names = {name: version for name, version in found.items() if version is not None}
        return list(dict.fromkeys(self._names.values()))

    def roll_back(self, version: str, seconds: float) -> None:
        """Returns when learn has made the version the newest one, and said so on `models`. Blocks.
        Raises `Refused`, `ModelError`.
        """
        if version not in (known := self.versions()):
            detail = f"no checkpoint of version {version}; there are: {', '.join(known) or 'none'}"
            raise Refused(404, "unknown_version", detail)
        with self._asking:
            try:
                ask_learner(self._home, version, seconds)
            except SnapshotError as exc:
                raise Refused(503, "not_rolled_back", str(exc)) from exc

    def _version(self, name: str) -> str | None:
        """None where learn has removed it since it was listed."""
        try:
            return str(checkpoint.meta(self._folder, name).get("version"))
        except ModelError:
            if checkpoint.replaced(self._folder, name):
                return None
            raise


def _ruling(value: bytes | None) -> dict[str, Any]:
    try:
        return {**orjson.loads(value or b"")}
    except (ValueError, TypeError) as exc:
        raise ModelError(
            f"topic models holds a record that is no ruling ({exc}): who else writes to that topic?"
        ) from exc


class RulingsReader(ModelReader):
    """Keeps a replica level, and hands what the guard ruled to `versions`."""

    def __init__(self, replica: Replica, folder: ModelsFolder, versions: Versions) -> None:
        super().__init__(replica, folder)
        self._versions = versions

    def read(self, record: BroadcastRecord) -> Iterator[None]:
        """As `ModelReader.read`."""
        self._versions.hear(record)
        yield from super().read(record)
