"""The records of the `models` topic: versions (which checkpoint, which offsets), the deltas between
them, rulings and roll backs.

The topic is one partition whose start the learner cuts off at each version, so a version always
stands before the deltas that build on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from learner.release.delta import ModelDelta, encode
from learner.release.guard import Ruling
from stream.chain.publish import Outgoing
from upwell.errors import ModelError
from upwell.events import Topic

__all__ = [
    "DELTA",
    "KIND",
    "ROLLBACK",
    "RULING",
    "VERSION",
    "Version",
    "delta_record",
    "rollback_record",
    "ruling_record",
    "version_record",
]

KIND = "kind"
DELTA = b"delta"
VERSION = b"version"
RULING = b"ruling"
ROLLBACK = b"rollback"


@dataclass(frozen=True, slots=True)
class Version:
    """A checkpoint as it is announced.

    watermark: source -> last offset learned. file: below the models' folder.
    """

    version: str
    file: str
    sha256: str
    watermark: dict[str, int]

    def __post_init__(self) -> None:
        if Path(self.file).name != self.file or self.file in ("", ".", ".."):
            raise ModelError(
                f"topic models names the file {self.file!r:.80}, which is not in the "
                "models' folder: who else writes to that topic?"
            )

    @classmethod
    def read(cls, value: bytes | None) -> Version:
        """The version of such a record's value. Raises `ModelError` where it is none."""
        try:
            return cls(**orjson.loads(value or b""))
        except (ValueError, TypeError) as exc:
            raise ModelError(
                f"topic models holds a record that is no version ({exc}): who else writes to "
                "that topic?"
            ) from exc


def delta_record(delta: ModelDelta) -> Outgoing:
    """What changed since the delta before."""
    return Outgoing(Topic.MODELS, None, encode(delta), partition=0, headers=((KIND, DELTA),))


def version_record(version: Version) -> Outgoing:
    """A checkpoint that a new replica may start from."""
    return Outgoing(
        Topic.MODELS, None, orjson.dumps(asdict(version)), partition=0, headers=((KIND, VERSION),)
    )


def rollback_record(version: Version) -> Outgoing:
    """A checkpoint that every replica goes back to, whatever it has read."""
    return Outgoing(
        Topic.MODELS, None, orjson.dumps(asdict(version)), partition=0, headers=((KIND, ROLLBACK),)
    )


def ruling_record(ruling: Ruling, version: str) -> Outgoing:
    """What was decided about a candidate, for who reads the topic.

    version: that serves after it.
    """
    value = orjson.dumps({**asdict(ruling), "version": version})
    return Outgoing(Topic.MODELS, None, value, partition=0, headers=((KIND, RULING),))
