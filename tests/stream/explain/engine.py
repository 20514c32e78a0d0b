"""A small engine in this process whose replica keeps what its lists are made of, and logs that
exercise all that may stand behind a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import orjson

from encoders.hashing import HashingEncoder
from stream.explain.evidence import Evidence
from stream.explain.recorded import RecordedReplica
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings

T0 = 1_700_000_000_000
ITEMS, USERS = 60, 12
WORDS = ("quiet", "storm", "north", "garden", "engine", "ghost", "river", "märchen")


def settings(exposure: str | None = None, explore: float = 0.3) -> Settings:
    own = Settings()
    return replace(
        own,
        stream=replace(own.stream, exposure=exposure, batch_events=8),
        learner=replace(own.learner, explore=explore, fused_every=64),
    )


@contextmanager
def recorded(folder: Path, own: Settings, hours: float = 24.0) -> Iterator[InlineEngine]:
    """An engine that serves by a replica which keeps what it does in `folder`."""
    evidence = Evidence(folder / "serve-0.sqlite3")
    made = partial(RecordedReplica, evidence=evidence, hours=hours)
    with patch("stream.replay.inline.Replica", made):
        engine = InlineEngine(own, HashingEncoder(), serving="guarded")
    try:
        yield engine
    finally:
        evidence.close()


class Log:
    """Numbered records, each with its own time and id."""

    def __init__(self, name: str = "e") -> None:
        self.lines: list[LogRecord] = []
        self._name = name

    def add(self, topic: Topic, **value: Any) -> None:
        number = len(self.lines)
        key = str(value.get("override_id") or value.get("user_id") or value.get("item_id"))
        told = {"event_id": f"{self._name}{number}", "ts": T0 + 60_000 * number, **value}
        if topic is Topic.REQUESTS:
            told["request_id"] = f"r-{told['event_id']}"
        self.lines.append(LogRecord(number, topic, key.encode(), orjson.dumps(told)))

    def item(self, number: int, **more: Any) -> None:
        title = f"{WORDS[number % len(WORDS)]} {WORDS[number // 7 % len(WORDS)]} {number}"
        kinds = [f"kind {number % 5}"]
        self.add(Topic.ITEMS, item_id=f"i{number}", title=title, categories=kinds, **more)

    def click(self, user: str, item: int, action: str = "click") -> None:
        self.add(Topic.CLICKS, user_id=user, item_id=f"i{item}", action=action)


def long_log(events: int, seed: int = 5) -> list[LogRecord]:
    """Clicks, likes and dislikes, ratings, searches, impressions, requests, new items on the way,
    overrides, bans, a guest who logs in.
    """
    random, log = np.random.default_rng(seed), Log()
    for number in range(ITEMS):
        log.item(number)
    for number in range(events):
        user, item = f"user {random.integers(USERS)}", int(ITEMS * random.random() ** 2)
        match number % 9:
            case 0:
                log.add(Topic.QUERIES, user_id=user, text=WORDS[item % len(WORDS)])
            case 1:
                log.add(
                    Topic.REVIEWS, user_id=user, item_id=f"i{item}", text="a quiet one", rating=4
                )
            case 2:
                shown = [f"i{one}" for one in random.permutation(ITEMS)[:6]]
                log.add(Topic.IMPRESSIONS, user_id=user, list_id=f"l{number}", item_ids=shown)
            case 3:
                log.add(Topic.REQUESTS, user_id=user, k=7, exclude=[f"i{item}"])
            case 4:
                log.click(user, item, "dislike" if item % 3 else "like")
            case 5 if number % 2:
                log.item(ITEMS + number)
            case _:
                log.click(user, item)
    return log.lines


SURFACES = ("home", "kids", "unknown", None)
POLICY = """
[lists.odd]
categories = ["kind 1", "kind 3"]
items = "keep"
[surfaces.kids]
hide = ["odd"]
[surfaces.home]
hide = []
"""


def asked_on_surfaces() -> list[LogRecord]:
    """Each user asks for a list on each surface, and for one without."""
    log = Log("on")
    for user in range(USERS):
        for surface in SURFACES:
            log.add(Topic.REQUESTS, user_id=f"user {user}", k=9, surface=surface)
    return log.lines


def decisions() -> list[LogRecord]:
    """What people say in between."""
    log = Log("said")
    by = {"by": "ann", "why": "a test"}
    for override_id, item, decision, more in (
        ("o1", "i3", "pin", {}),
        ("o2", "i5", "ban", {"user_id": "user 1"}),
        ("o3", "i8", "boost", {"boost": 1.5}),
        ("o4", "i9", "pin", {"query": "storm"}),
    ):
        said = {"override_id": override_id, "item_id": item, "decision": decision}
        log.add(Topic.CONTROLS, kind="override", **said, **by, **more)
    log.add(Topic.CONTROLS, kind="ban_item", item_id="i11", **by)
    log.add(Topic.CONTROLS, kind="merge_user", user_id="user 2", from_user="user 3", **by)
    return log.lines
