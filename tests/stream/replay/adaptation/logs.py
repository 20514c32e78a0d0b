"""A small log, as records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from stream.replay.adaptation.history import History, read_history
from stream.replay.log import BadLine, LogRecord
from upwell.events import Topic

__all__ = ["NOW", "START", "history", "record", "records", "small_log"]

START = 1_600_000_000_000
NOW = START + 10**9
GENRES = ("Drama", "Comedy", "War", "Music")


def record(topic: str, number: int, **fields: Any) -> LogRecord:
    """At `number` seconds after the start, with an event id of its own."""
    own = {"ts": START + 1_000 * number} | fields
    if topic != "items":
        own = {"event_id": f"{topic}-{number}-{fields.get('user_id')}"} | own
    return LogRecord(number + 1, Topic(topic), None, orjson.dumps(own))


def records(*some: LogRecord | BadLine) -> list[LogRecord | BadLine]:
    """Items a, b, c before them."""
    items = [
        record("items", 0, item_id=one, title=f"Title {one}", categories=[genre])
        for one, genre in zip("abc", GENRES, strict=False)
    ]
    return [*items, *some]


def history(*some: LogRecord | BadLine) -> History:
    return read_history(records(*some), NOW)


def small_log() -> Iterator[LogRecord]:
    """Twelve items of four genres; twenty users like three items of one genre each, one a time."""
    for row in range(12):
        genre = GENRES[row % 4]
        yield record("items", 0, item_id=f"i{row}", title=f"Film {row}", categories=[genre])
    for number in range(60):
        user = number % 20
        item = user % 4 + 4 * ((user + number // 20) % 3)
        yield record("clicks", 10 + number, user_id=f"u{user}", item_id=f"i{item}", action="like")
