"""Synthetic texts of a wanted length in the language model's own tokens, and events and items that
carry them. Seeded.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from stream.replay.log import LogRecord
from upwell.events import Topic

__all__ = ["BEGAN_MS", "bulk_items", "whole_words", "with_texts", "words"]

BEGAN_MS = 1_600_000_000_000
"""When synthetic events begin, UTC ms."""
SHORTEST = 3
TITLE_WORDS = 4


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
