"""A replica of the learner: follows the `models` topic, at most one delta behind.

It knows nothing about Faust or how the topic is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from learner.release.checkpoint import load
from learner.release.delta import decode
from learner.release.promotion import adopt_serving
from learner.training.learner import Learner
from stream.broker.model_records import DELTA, KIND, ROLLBACK, VERSION, Version
from stream.chain.records import BroadcastRecord

__all__ = ["Replica"]


class Replica:
    """Keeps a serve worker's `Learner` at what the learn process published; at most one delta
    behind.
    """

    def __init__(self, learner: Learner, folder: Path) -> None:
        self._learner = learner
        self._folder = folder
        self._next_offset: int | None = None

    def follow(self, records: Iterable[BroadcastRecord]) -> None:
        """Apply records in their order."""
        for record in records:
            for _ in self.following(record):
                pass

    def following(self, record: BroadcastRecord) -> Iterator[None]:
        """Apply the next record, a delta in bounded steps: between two of them the learner may
        rank.

        A version is loaded only where deltas are missing before it: at the start, or after a gap.
        """
        missing = record.offset != self._next_offset
        self._next_offset = record.offset + 1
        if record.headers.get(KIND) == DELTA:
            yield from self._learner.applying(decode(record.value or b""))
        elif record.headers.get(KIND) == ROLLBACK or (
            record.headers.get(KIND) == VERSION and missing
        ):
            self._load(Version(**orjson.loads(record.value or b"{}")))

    def _load(self, version: Version) -> None:
        arrays, meta = load(self._folder / version.file, version.sha256)
        adopt_serving(self._learner, arrays, meta["learner"])
