"""The `models` topic: versions (which checkpoint, which offsets) and the deltas between them, and a replica that follows it.

The topic is one partition whose start the learner cuts off at each version, so a version always stands before the deltas that build on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from learner.checkpoint import load
from learner.delta import ModelDelta, decode, encode
from learner.learner import Learner
from learner.promotion import Ruling, adopt_serving
from stream.feeds import BroadcastRecord
from stream.publish import Outgoing
from upwell.errors import ModelError
from upwell.events import Topic

__all__ = ["Replica", "Version", "delta_record", "rollback_record", "ruling_record", "version_record"]

KIND = "kind"
DELTA = b"delta"
VERSION = b"version"
RULING = b"ruling"
ROLLBACK = b"rollback"


@dataclass(frozen=True, slots=True)
class Version:
    """A checkpoint as it is announced. watermark: source -> last offset learned. file: below the models' folder."""

    version: str
    file: str
    sha256: str
    watermark: dict[str, int]

    def __post_init__(self) -> None:
        if Path(self.file).name != self.file or self.file in ("", ".", ".."):
            raise ModelError(
                f"topic models names the file {self.file!r:.80}, which is not in the models' folder: who else writes to that topic?"
            )


def delta_record(delta: ModelDelta) -> Outgoing:
    """What changed since the delta before."""
    return Outgoing(Topic.MODELS, None, encode(delta), partition=0, headers=((KIND, DELTA),))


def version_record(version: Version) -> Outgoing:
    """A checkpoint that a new replica may start from."""
    return Outgoing(Topic.MODELS, None, orjson.dumps(asdict(version)), partition=0, headers=((KIND, VERSION),))


def rollback_record(version: Version) -> Outgoing:
    """A checkpoint that every replica goes back to, whatever it has read."""
    return Outgoing(Topic.MODELS, None, orjson.dumps(asdict(version)), partition=0, headers=((KIND, ROLLBACK),))


def ruling_record(ruling: Ruling, version: str) -> Outgoing:
    """What was decided about a candidate, for who reads the topic. version: that serves after it."""
    value = orjson.dumps({**asdict(ruling), "version": version})
    return Outgoing(Topic.MODELS, None, value, partition=0, headers=((KIND, RULING),))


class Replica:
    """Keeps a serve worker's `Learner` at what the learn process published; at most one delta behind."""

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
        """Apply the next record, a delta in bounded steps: between two of them the learner may rank.

        A version is loaded only where deltas are missing before it: at the start, or after a gap.
        """
        missing = record.offset != self._next_offset
        self._next_offset = record.offset + 1
        if record.headers.get(KIND) == DELTA:
            yield from self._learner.applying(decode(record.value or b""))
        elif record.headers.get(KIND) == ROLLBACK or (record.headers.get(KIND) == VERSION and missing):
            self._load(Version(**orjson.loads(record.value or b"{}")))

    def _load(self, version: Version) -> None:
        arrays, meta = load(self._folder / version.file, version.sha256)
        adopt_serving(self._learner, arrays, meta["learner"])
