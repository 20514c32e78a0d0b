"""Reads the `models` topic for a replica, which is then at most one delta behind.

It knows nothing about Faust or how the topic is read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from learner.release.checkpoint import load, replaced
from learner.release.delta import decode
from learner.release.folder import ModelsFolder
from learner.release.replica import Replica
from stream.broker.model_records import DELTA, KIND, ROLLBACK, VERSION, Version
from stream.chain.records import BroadcastRecord
from upwell.errors import ModelError

__all__ = ["ModelReader"]

log = logging.getLogger("upwell.serve")


class ModelReader:
    """Keeps `replica` at what the learn process published. folder: of the checkpoints."""

    def __init__(self, replica: Replica, folder: ModelsFolder) -> None:
        self._replica = replica
        self._folder = folder
        self._next_offset: int | None = None
        self.waits = False
        """For the version after one whose checkpoint was gone: it stands in `models`, since the
        learner announces a checkpoint before it removes another.
        """

    def read(self, record: BroadcastRecord) -> Iterator[None]:
        """Take in the next record, a delta in bounded steps: between two of them the replica may
        rank.

        A version is loaded only where deltas are missing before it: at the start, or after a gap.
        Raises `ModelError`.
        """
        missing = self.waits or record.offset != self._next_offset
        self._next_offset = record.offset + 1
        kind = record.headers.get(KIND)
        if kind == DELTA and not self.waits:
            yield from self._replica.apply(decode(record.value or b""))
        elif kind == ROLLBACK or (kind == VERSION and (missing or self._replica.begins_again)):
            self._start_from(Version.read(record.value))

    def _start_from(self, version: Version) -> None:
        try:
            arrays, meta = load(self._folder, version.file, version.sha256)
        except ModelError:
            if not replaced(self._folder, version.file):
                raise
            self.waits = True
            log.warning("checkpoint %s was replaced: waits for the next version", version.file)
            return
        self._replica.restore(arrays, meta["learner"])
        self.waits = False
