"""Where an event stood: the topic, which of the topics that ever had this name, and the partition.

Offsets are only comparable within one source. A topic that is deleted and made again counts from 0
again, so its incarnation is part of the name: the first digits of the id that Kafka gave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from upwell.events import Topic

__all__ = ["Source", "current_offsets"]


@dataclass(frozen=True, slots=True)
class Source:
    """incarnation: of the topic, hexadecimal; empty on a broker without topic ids."""

    topic: Topic
    incarnation: str
    partition: int

    @classmethod
    def parse(cls, text: str) -> Source:
        """The inverse of `str`."""
        topic, _, partition = text.rpartition("-")
        name, _, incarnation = topic.partition("@")
        return cls(Topic(name), incarnation, int(partition))

    def __str__(self) -> str:
        """`clicks@1f2e3d4c-0`, or `clicks-0` where the incarnation is not known."""
        named = f"{self.topic}@{self.incarnation}" if self.incarnation else str(self.topic)
        return f"{named}-{self.partition}"


def current_offsets(
    watermark: Mapping[str, int], incarnations: Mapping[Topic, str]
) -> dict[str, int]:
    """Of a watermark what is of the topics as they are now, by `topic-partition` as apps know it.

    incarnations: of each topic; one that is not named has none.
    """
    parsed = ((Source.parse(source), offset) for source, offset in watermark.items())
    return {
        f"{source.topic}-{source.partition}": offset
        for source, offset in parsed
        if source.incarnation == incarnations.get(source.topic, "")
    }
