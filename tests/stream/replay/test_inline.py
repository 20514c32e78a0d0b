"""The inline engine with the guard before what serves: lists by a replica that hears of promotions
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson

from encoders.cache import CachingEncoder
from encoders.hashing import HashingEncoder
from encoders.kept import KeptVectors
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.learner.counted import item_events
from upwell.events import Topic
from upwell.settings import Settings
from upwell.values import Vector

SETTINGS = Settings(learner=replace(Settings().learner, fused_every=64))
USERS, ITEMS, EVENTS = 40, 30, 600
T0 = 1_700_000_000_000


class Counting(HashingEncoder):
    texts = 0

    def encode(self, texts: Sequence[str]) -> Vector:
        self.texts += len(texts)
        return super().encode(texts)


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


def test_a_catalogue_that_was_encoded_before_is_read_from_disk(tmp_path: Path) -> None:
    def encoded() -> int:
        behind = Counting()
        kept = KeptVectors(tmp_path, behind.revision, behind.dimension, 10**6)
        engine = InlineEngine(SETTINGS, CachingEncoder(behind, 0, kept))
        for _ in engine.play(log()[:ITEMS], 10):
            pass
        assert engine.catalogue.get("i0") is not None
        return behind.texts

    assert encoded() == ITEMS
    assert encoded() == 0


def test_overrides_hold_wherever_they_were_keyed_until_their_user_is_forgotten() -> None:
    items = [
        {"event_id": f"a{n}", "ts": T0, "item_id": f"i{n}", "title": f"Film {n}"} for n in range(3)
    ]
    ban = {"kind": "override", "override_id": "o", "item_id": "i1", "decision": "ban"}
    said = {"event_id": "c", "ts": T0, "by": "op", "why": "w", "user_id": "ann"}

    def asked(number: int) -> LogRecord:
        value = {"event_id": f"r{number}", "request_id": f"r{number}", "ts": T0, "user_id": "ann"}
        return record(Topic.REQUESTS, "ann", value)

    lines = [
        *(record(Topic.ITEMS, str(one["item_id"]), one) for one in items),
        record(Topic.CONTROLS, "astray", said | ban),
        *(asked(number) for number in range(2)),
        record(Topic.CONTROLS, "ann", said | {"event_id": "f", "kind": "forget_user"}),
        *(asked(number) for number in range(2, 5)),
    ]
    engine = InlineEngine(SETTINGS, HashingEncoder())
    lists = [one for effects in engine.play(lines, 1) for one in effects.lists]
    shown = {one.trigger: {entry.item_id for entry in one.items} for one in lists}
    assert shown["r1"] == {"i0", "i2"}
    assert shown["r4"] == {"i0", "i1", "i2"}


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


def test_segments_are_told_from_tags_to_figures_and_who_is_forgotten_is_counted_no_more() -> None:
    learner = replace(SETTINGS.learner, fused=False, fair_segments="women")
    engine = InlineEngine(replace(SETTINGS, learner=learner), HashingEncoder())
    why = {"ts": T0, "by": "op", "why": "w"}

    def said(kind: str, user: str, **more: object) -> LogRecord:
        value = {"event_id": f"{kind}-{user}", "kind": kind, "user_id": user, **why, **more}
        return record(Topic.CONTROLS, user, value)

    def told() -> list[bool]:
        quality = engine.learner.groups.report()["segment"].values()
        lists = engine.fair.report()["segments"].values()
        return [one["ndcg10"] is not None for one in quality] + [
            one["lists"] is not None for one in lists
        ]

    tags = [said("tag_user", f"u{n}", segment="women") for n in range(0, USERS, 2)]
    tags += [said("tag_user", f"u{n}", segment="unnamed") for n in range(USERS)]
    seen: set[tuple[str, ...]] = set()
    engine.watch = lambda examples: seen.update(one.segments for one in examples if one.tested)
    for _ in engine.play([*tags, *log()], 16):
        pass
    assert seen == {(), ("women",)}
    assert told() == [True] * 4
    engine.process([said("forget_user", "u2")])
    assert told() == [False] * 4, "19 women, and what is left of all without the others"
