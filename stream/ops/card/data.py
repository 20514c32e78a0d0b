"""What the topics still hold of what was learned from: events, users, items, their time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from stream.ops.access.topics import Standing
from upwell.events import Topic

__all__ = ["LOOKED_AT", "data_seen"]

LOOKED_AT = (Topic.ITEMS, Topic.CLICKS, Topic.REVIEWS, Topic.QUERIES, Topic.IMPRESSIONS)


@dataclass(slots=True)
class _Seen:
    records: int = 0
    oldest: int | None = None
    newest: int | None = None
    users: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)

    def add(self, one: Standing[Topic]) -> None:
        self.records += 1
        at = one.appended_ms
        self.oldest = at if self.oldest is None else min(self.oldest, at)
        self.newest = at if self.newest is None else max(self.newest, at)
        try:
            told = orjson.loads(one.value or b"")
        except ValueError:
            return
        if isinstance(told, dict):
            for name, known in (("user_id", self.users), ("item_id", self.items)):
                if isinstance(found := told.get(name), str):
                    known.add(found)


def data_seen(records: Iterable[Standing[Topic]]) -> dict[str, dict[str, Any]]:
    """By topic how many records, users and items, appended from `oldest_ms` to `newest_ms` (UTC ms,
    None of none); under `all` those of users together.
    """
    seen = {str(topic): _Seen() for topic in LOOKED_AT}
    whole = _Seen()
    for one in records:
        seen[str(one.topic)].add(one)
        if one.topic is not Topic.ITEMS:
            whole.add(one)
    return {name: _json(found) for name, found in {**seen, "all": whole}.items()}


def _json(found: _Seen) -> dict[str, Any]:
    return {
        "records": found.records,
        "users": len(found.users),
        "items": len(found.items),
        "oldest_ms": found.oldest,
        "newest_ms": found.newest,
    }
