"""Puts drafts in the order of a replay log, with memory that does not grow: they wait in a file of
SQLite, which sorts on the disk.

Items whose time nobody knows come first, with the time of the first event; an item with a time
comes then, or just before the first event on it where that is earlier. Equal times get an order by
a keyed hash of the event's content: it tells nothing of the item, nor which came first in the file.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from stream.replay.importers.draft import Draft
from upwell.events import Topic

__all__ = ["Order"]

_CACHE_KIB = 65_536
_SCHEMA = """
CREATE TABLE items (item_id TEXT PRIMARY KEY, ts INTEGER, line BLOB) WITHOUT ROWID;
CREATE TABLE events (ts INTEGER, tie BLOB, item_id TEXT, topic TEXT, line BLOB);
"""
_KEEP_THE_EARLIER = """
INSERT INTO items VALUES (?, ?, ?) ON CONFLICT (item_id) DO UPDATE
SET ts = excluded.ts, line = excluded.line WHERE excluded.ts < items.ts
"""
_ITEMS = """
SELECT min(coalesce(items.ts, ?1), coalesce(firsts.first, items.ts, ?1)) AS due, line
FROM items LEFT JOIN firsts USING (item_id) ORDER BY due, item_id
"""


class Order:
    """A context manager. seed: of the order of equal times. folder: where the file lies; the
    system's for temporary files (TMPDIR) where None.
    """

    def __init__(self, seed: int, repeats: bool, folder: Path | None = None) -> None:
        self._salt = seed.to_bytes(8, "big", signed=True)
        self._repeats = repeats
        self._folder = tempfile.TemporaryDirectory(prefix="upwell-import-", dir=folder)
        self._base = sqlite3.connect(Path(self._folder.name) / "order.sqlite", isolation_level=None)
        self._base.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
            f"PRAGMA cache_size = -{_CACHE_KIB};{_SCHEMA}BEGIN;"
        )

    def __enter__(self) -> Order:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()
        self._folder.cleanup()

    def put(self, draft: Draft) -> None:
        """draft.value is an event but for event_id and, of an item without a time, ts."""
        if draft.topic is Topic.ITEMS:
            line = orjson.dumps(draft.value)
            self._base.execute(_KEEP_THE_EARLIER, (draft.value["item_id"], draft.ts, line))
        else:
            line = orjson.dumps({"ts": draft.ts, **draft.value})
            tie = blake2b(line, digest_size=16, key=self._salt).digest()
            item_id = draft.value.get("item_id")
            self._base.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                (draft.ts, tie, item_id, draft.topic.value, line),
            )

    def lines(self, dirty: Counter[str]) -> Iterator[tuple[Topic, dict[str, Any]]]:
        """All events with their ids, in order. An event that stands there twice is `repeated`, and
        comes once unless repeats mean something.
        """
        self._base.execute("COMMIT")
        [start] = self._base.execute("SELECT min(ts) FROM events").fetchone()
        if start is None:
            return
        events = self._events(dirty)
        topic, event = next(events)
        for due, line in self._announcements(start):
            while event and event["ts"] < due:
                yield topic, event
                topic, event = next(events, (topic, {}))
            yield Topic.ITEMS, {**orjson.loads(line), "ts": due}
        if event:
            yield topic, event
        yield from events

    def _announcements(self, start: int) -> Iterator[tuple[int, bytes]]:
        [timed] = self._base.execute("SELECT count(*) FROM items WHERE ts IS NOT NULL").fetchone()
        firsts = "SELECT item_id, min(ts) AS first FROM events GROUP BY item_id"
        self._base.execute(
            f"CREATE TEMP TABLE firsts AS {firsts if timed else 'SELECT 0 item_id, 0 first'}"
        )
        self._base.execute("CREATE INDEX temp.by_item ON firsts (item_id)")
        yield from self._base.execute(_ITEMS, (start,))

    def _events(self, dirty: Counter[str]) -> Iterator[tuple[Topic, dict[str, Any]]]:
        before, repeat = b"", 0
        for topic, line in self._base.execute(
            "SELECT topic, line FROM events ORDER BY ts, tie, line"
        ):
            repeat = repeat + 1 if line == before else 0
            before = line
            if repeat:
                dirty["(repeated)" if self._repeats else "repeated"] += 1
                if not self._repeats:
                    continue
            named = line if not repeat else line + repeat.to_bytes(8, "big")
            event_id = blake2b(named, digest_size=16, person=topic.encode()).hexdigest()
            yield Topic(topic), {"event_id": event_id, **orjson.loads(line)}
