"""The first part of a replay log: so many events, and the items that these name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from stream.replay.log import LogRecord, read_log
from upwell.events import Topic

__all__ = ["part_of"]


def part_of(path: Path, most: int) -> Sequence[LogRecord]:
    """The first `most` events of a replay log behind the announcements of the items they name."""
    items: list[LogRecord] = []
    events: list[LogRecord] = []
    named: set[str] = set()
    for line in read_log(path):
        if not isinstance(line, LogRecord):
            continue
        if line.topic is Topic.ITEMS:
            items.append(line)
        elif len(events) < most:
            events.append(line)
            named.add(str(orjson.loads(line.value).get("item_id")))
    return [*(one for one in items if (one.key or b"").decode() in named), *events]
