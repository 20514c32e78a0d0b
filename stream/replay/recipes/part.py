"""The first part of a replay log: so many events, and the items that these name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from stream.replay.log import LogRecord, read_log
from upwell.events import Topic

__all__ = ["part_of"]


def part_of(path: Path, most: int, all_items: bool = False) -> Sequence[LogRecord]:
    """The first `most` events of a replay log and the announcements of the items that they name,
    in the log's order. all_items: all that were announced before the last of these events.
    """
    records: list[LogRecord] = []
    named: set[bytes] = set()
    events = 0
    for line in read_log(path):
        if not isinstance(line, LogRecord):
            continue
        records.append(line)
        if line.topic is not Topic.ITEMS:
            named.add(str(orjson.loads(line.value).get("item_id")).encode())
            events += 1
            if events == most:
                break
    return [one for one in records if all_items or one.topic is not Topic.ITEMS or one.key in named]
