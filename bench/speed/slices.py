"""A slice of a log for the benches of speed: announcements and users' events, small enough that
five repeats end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from stream.replay.log import BadLine, LogRecord, read_log
from upwell.events import Topic

__all__ = ["Slice", "cut", "passes", "read_slice"]

LISTED = (Topic.CLICKS, Topic.REVIEWS, Topic.QUERIES)
"""Topics whose events the naive loop answers, too."""


@dataclass(frozen=True, slots=True)
class Slice:
    """In the log's order."""

    items: Sequence[LogRecord]
    events: Sequence[LogRecord]


def read_slice(path: Path, events: int, items: int) -> Slice:
    """Raises `LogError` where there is no log."""
    return cut((line for line in read_log(path) if not isinstance(line, BadLine)), events, items)


def cut(lines: Iterable[LogRecord], events: int, items: int) -> Slice:
    """The first so many events, and so many items: those that the events are on first, then as the
    log has them.
    """
    known: list[LogRecord] = []
    chosen: list[LogRecord] = []
    for line in lines:
        if line.topic is Topic.ITEMS:
            known.append(line)
        elif line.topic in LISTED and len(chosen) < events:
            chosen.append(line)
    named = {orjson.loads(event.value).get("item_id") for event in chosen}
    by_use = sorted(known, key=lambda line: orjson.loads(line.value)["item_id"] not in named)
    return Slice(by_use[:items], chosen)


def passes(events: Sequence[LogRecord], each: int, count: int) -> list[Sequence[LogRecord]]:
    """`count` slices of `each` events, none of them twice. Raises `ValueError` where there are not
    so many.
    """
    if len(events) < each * count:
        raise ValueError(f"{count} passes of {each} events need {each * count}: {len(events)}")
    return [events[number * each : (number + 1) * each] for number in range(count)]
