"""What one batch of a use has read: where it ended on each partition, and by which clock. It goes
out in the same transaction as what came of the batch, so that after a crash the very same batches
can be taken again, in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from upwell.errors import BrokerError

__all__ = ["Place", "Step"]

VERSION = 1
Place = tuple[str, int]
"""A topic, without the prefix, and a partition of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """ends: the next offset of each place after the batch. at_ms: the time of the batch, UTC ms.
    topics: which incarnation of each topic these offsets are of.
    """

    ends: Mapping[Place, int]
    at_ms: int
    topics: Mapping[str, str]

    def value(self) -> bytes:
        """Of a record."""
        rows = [[topic, number, end] for (topic, number), end in sorted(self.ends.items())]
        said = {"v": VERSION, "at": self.at_ms, "topics": dict(self.topics), "ends": rows}
        return orjson.dumps(said)

    @classmethod
    def read(cls, raw: bytes) -> Step:
        """The inverse. Raises `BrokerError` for a record of another version."""
        try:
            said = orjson.loads(raw)
            if said["v"] != VERSION:
                raise ValueError(f"version {said['v']!r}")
            ends = {(topic, number): end for topic, number, end in said["ends"]}
            return cls(ends, said["at"], said["topics"])
        except (ValueError, LookupError, TypeError) as exc:
            raise BrokerError(
                f"a record of steps is none of this version of Upwell ({exc!r}): something else "
                "writes there, or two versions share a prefix; set UPWELL_PREFIX"
            ) from exc
