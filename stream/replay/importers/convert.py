"""`upwell import`: files of a known kind, or CSV with a mapping, to a replay log.

Each event is checked as the engine will check it, so that a replay of the log has no dead letters;
what would be one is left out and counted by its reason.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from stream.replay.importers.draft import Draft
from stream.replay.importers.kinds import choose, files_in
from stream.replay.importers.mapping import read_mapping
from stream.replay.importers.order import Order
from stream.replay.importers.values import DirtyError
from stream.replay.progress import Moved, unwatched
from upwell.errors import InvalidEventError, LogError
from upwell.events import Topic
from upwell.schema import parse_event

__all__ = ["Report", "import_log"]

MOVED_EVERY = 5_000
_LEVEL = 6
_ANY_ID = "0" * 32


@dataclass(slots=True)
class Report:
    """kind: what was read. events: written, by topic. dirty: what was left out, by reason; what was
    kept all the same stands in brackets. unread: names of files that were of no use.
    """

    kind: str
    events: Counter[str] = field(default_factory=Counter)
    dirty: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)


def import_log(
    kind: str,
    path: Path,
    out: BinaryIO,
    now_ms: int,
    *,
    mapping: Path | None = None,
    packed: bool = True,
    seed: int = 0,
    moved: Moved = unwatched,
) -> Report:
    """Write the replay log to `out`, gzipped where packed.

    kind: a name of `KINDS`, `auto`, or `csv` with the mapping's file. now_ms: UTC ms, against which
    times in the future are told. seed: of the order of equal times. moved: is told of rows that
    were read, then of events that were written. Raises `LogError` where the files are of another
    kind, or where nothing could be read.
    """
    dirty: Counter[str] = Counter()
    if (kind == "csv") is (mapping is None):
        raise LogError("csv needs --mapping FILE.toml, and no other kind has one: docs/import.md")
    paths = files_in(path)
    if mapping is not None:
        drafts, used = read_mapping(mapping, paths, dirty)
        repeats = False
    else:
        chosen, files = choose(kind, paths)
        drafts, kind = chosen.read(files, dirty), chosen.name
        used, repeats = {one for role in files.values() for one in role}, chosen.repeats
    report = Report(kind, dirty=dirty, unread=[one.name for one in paths if one not in used])
    with Order(seed, repeats) as order:
        drafted = 0
        for drafted, draft in enumerate(_checked(drafts, dirty, now_ms), 1):
            order.put(draft)
            if drafted % MOVED_EVERY == 0:
                moved("rows read", drafted, None)
        events = _told(order.lines(dirty), drafted, moved)
        report.events = _write(events, out, packed)
    if not report.events:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in dirty.most_common())
        raise LogError(f"no event could be read of {path}: {reasons or 'it has no rows'}")
    return report


def _checked(
    drafts: Iterable[Draft | DirtyError], dirty: Counter[str], now_ms: int
) -> Iterator[Draft]:
    for draft in drafts:
        if isinstance(draft, DirtyError):
            dirty[draft.reason] += 1
            continue
        value: Mapping[str, Any] = {"event_id": _ANY_ID, **draft.value, "ts": draft.ts or 0}
        try:
            parse_event(draft.topic, value, now_ms=now_ms)
        except InvalidEventError as exc:
            dirty[f"{draft.topic}: {exc.reason} {_field(exc)}"] += 1
            continue
        yield draft


def _told(
    events: Iterable[tuple[Topic, dict[str, Any]]], most: int, moved: Moved
) -> Iterator[tuple[Topic, dict[str, Any]]]:
    """The same, while `moved` is told how many went by. most: that there can be."""
    for number, event in enumerate(events, 1):
        if number % MOVED_EVERY == 0:
            moved("events written", number, most)
        yield event


def _field(fault: InvalidEventError) -> str:
    """Which field it was about: the first word of every detail."""
    return fault.detail.split(" ", 1)[0]


def _write(
    events: Iterable[tuple[Topic, dict[str, Any]]], out: BinaryIO, packed: bool
) -> Counter[str]:
    written: Counter[str] = Counter()
    # without the time of packing: the same files give the same bytes
    sink: Any = gzip.GzipFile("", "wb", _LEVEL, out, mtime=0) if packed else out
    for topic, value in events:
        key = value["item_id"] if topic is Topic.ITEMS else value["user_id"]
        sink.write(orjson.dumps({"topic": topic, "key": key, "value": value}) + b"\n")
        written[topic] += 1
    if packed:
        sink.close()
    out.flush()
    return written
