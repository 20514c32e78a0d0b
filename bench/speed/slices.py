"""What the benches of speed play: a slice of a log, small enough that five repeats end; and
synthetic texts of a wanted length in the language model's own tokens, with events and items that
carry them. Seeded.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from stream.replay.log import BadLine, LogRecord, read_log
from upwell.events import Topic

__all__ = [
    "BEGAN_MS",
    "Slice",
    "bulk_items",
    "cut",
    "passes",
    "read_slice",
    "whole_words",
    "with_texts",
    "words",
]

LISTED = (Topic.CLICKS, Topic.REVIEWS, Topic.QUERIES)
"""Topics whose events the naive loop answers, too."""
BEGAN_MS = 1_600_000_000_000
"""When synthetic events begin, UTC ms."""
SHORTEST = 3
TITLE_WORDS = 4


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


def whole_words(vocabulary: Path) -> list[str]:
    """Words that are one token each, of a `vocab.txt`: lower-case letters, no pieces."""
    lines = vocabulary.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if len(line) >= SHORTEST and line.isascii() and line.isalpha()]


def words(known: Sequence[str], count: int, draw: random.Random) -> str:
    return " ".join(draw.choices(known, k=count))


def with_texts(
    records: Sequence[LogRecord], share: float, tokens: int, known: Sequence[str], seed: int
) -> list[LogRecord]:
    """The same reviews; a share of them, by lot, say so many tokens that nobody said before."""
    draw = random.Random(seed)
    return [
        _saying(record, words(known, tokens, draw))
        if record.topic is Topic.REVIEWS and draw.random() < share
        else record
        for record in records
    ]


def _saying(record: LogRecord, text: str) -> LogRecord:
    value: dict[str, Any] = orjson.loads(record.value)
    return replace(record, value=orjson.dumps({**value, "text": text}))


def bulk_items(count: int, known: Sequence[str], seed: int) -> Iterator[LogRecord]:
    """Announcements of items that no other seed makes."""
    draw = random.Random(seed)
    for number in range(count):
        item = {
            "item_id": f"bulk-{seed}-{number}",
            "ts": BEGAN_MS,
            "title": words(known, TITLE_WORDS, draw),
            "categories": [words(known, 1, draw)],
        }
        yield LogRecord(number, Topic.ITEMS, str(item["item_id"]).encode(), orjson.dumps(item))
