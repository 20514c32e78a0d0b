"""A log in two parts: the first, on which settings are searched, and the rest, which nobody looks
at before they are chosen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.replay.log import LogRecord, read_log
from upwell.errors import LogError
from upwell.events import Topic

__all__ = ["LEAST_EVENTS", "Parts", "split", "split_log"]

LEAST_EVENTS = 20
"""In each part: fewer tell nothing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Both in the log's order, announcements where they stand."""

    first: Sequence[LogRecord]
    rest: Sequence[LogRecord]

    @property
    def digest(self) -> str:
        """Of the first part."""
        found = hashlib.sha256()
        for line in self.first:
            found.update(b"%s\0%s\0%s\n" % (line.topic.encode(), line.key or b"", line.value))
        return found.hexdigest()


def split_log(path: Path, share: float) -> Parts:
    """Broken lines are left out. Raises `LogError` where a part has hardly an event."""
    parts = split([line for line in read_log(path) if isinstance(line, LogRecord)], share)
    if min(map(events, (parts.first, parts.rest))) < LEAST_EVENTS:
        raise LogError(
            f"{path} has too few events to tune on: {LEAST_EVENTS} at least before and behind the "
            f"first {share:.0%}"
        )
    return parts


def split(lines: Sequence[LogRecord], share: float) -> Parts:
    """The first part ends with the last of this share of the events."""
    places = [place for place, line in enumerate(lines) if line.topic is not Topic.ITEMS]
    count = int(len(places) * share)
    cut = places[count] if count < len(places) else len(lines)
    return Parts(lines[:cut], lines[cut:])


def events(lines: Sequence[LogRecord]) -> int:
    """How many are no announcements."""
    return sum(line.topic is not Topic.ITEMS for line in lines)
