"""The inline engine with the guard before what serves: lists by a replica that hears of promotions
alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson

from encoders.hashing import HashingEncoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.learner.counted import item_events
from upwell.events import Topic
from upwell.settings import Settings

SETTINGS = Settings(learner=replace(Settings().learner, fused_every=64))
USERS, ITEMS, EVENTS = 40, 30, 600
T0 = 1_700_000_000_000


def record(topic: Topic, key: str, value: dict[str, object]) -> LogRecord:
    return LogRecord(0, topic, key.encode(), orjson.dumps(value))


def log() -> list[LogRecord]:
    rng = np.random.default_rng(4)
    items = [
        record(
            Topic.ITEMS,
            f"i{n}",
            {"event_id": f"a{n}", "ts": T0, "item_id": f"i{n}", "title": f"Film {n}"},
        )
        for n in range(ITEMS)
    ]
    for number in range(EVENTS):
        user, item = f"u{rng.integers(USERS)}", f"i{int(ITEMS * rng.random() ** 2)}"
        value = {"event_id": f"e{number}", "ts": T0 + number, "user_id": user, "item_id": item}
        items.append(record(Topic.REVIEWS, user, value | {"rating": 5.0}))
    return items


def test_what_is_sent_on_reaches_its_owner_also_after_the_last_line() -> None:
    click = {"event_id": "e", "ts": T0, "user_id": "guest", "item_id": "i", "action": "click"}
    merge = {"event_id": "m", "ts": T0 + 1, "kind": "merge_user", "by": "app", "why": "login"}
    lines = [
        record(Topic.CLICKS, "guest", click),
        record(Topic.CONTROLS, "ann", merge | {"user_id": "ann", "from_user": "guest"}),
    ]
    engine = InlineEngine(SETTINGS, HashingEncoder())
    states = [state for effects in engine.play(lines, 1) for state in effects.states]
    assert len(states[-1].merged) == 1
    assert [one.item_id for one in states[-1].history] == ["i"]
    assert engine.counts["merged"] == 1


def test_guarded_lists_are_by_what_serves_and_training_is_the_same() -> None:
    encoder = HashingEncoder()
    guarded = InlineEngine(SETTINGS, encoder, serving="guarded")
    live = InlineEngine(SETTINGS, encoder)
    versions = set()
    for one, other in zip(guarded.play(log(), 32), live.play(log(), 32), strict=True):
        assert len(one.lists) == len(other.lists)
        versions |= {fresh.model_version for fresh in one.lists}
    assert guarded.replica is not None
    assert guarded.promotion is not None
    assert guarded.replica.version == guarded.promotion.version
    assert item_events(guarded.replica) == item_events(guarded.learner)
    assert guarded.learner.version == live.learner.version
    assert guarded.learner.figures.report() == live.learner.figures.report()
    assert len(versions) > 5
