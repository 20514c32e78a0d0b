from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from bench.prequential import Log
from bench.simulations import own_graph
from bench.simulations.own_graph import Tags, changes, first_tag, play, same_kinds, tag_of
from encoders.hashing import HashingEncoder
from stream.chain.effects import Effects
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings

TS = 1_700_000_000_000
ITEMS: list[dict[str, Any]] = [
    {"item_id": "mars", "ts": TS + 1, "title": "robots on mars", "categories": ["space", "war"]},
    {"item_id": "farm", "ts": TS + 1, "title": "a quiet farm", "categories": ["calm"]},
    {"item_id": "moon", "ts": TS + 1, "title": "robots on moon", "categories": ["war", "space"]},
    {"item_id": "barn", "ts": TS + 1, "title": "a quiet barn", "categories": ["calm"]},
]


def tag(item: str, text: str, **more: Any) -> dict[str, Any]:
    return {"event_id": f"{item} {text}", "ts": TS + 9, "user_id": "ann", "item_id": item} | {
        "text": text,
        **more,
    }


def test_items_of_the_same_two_kinds_name_what_was_listed_before() -> None:
    assert same_kinds(ITEMS) == {"mars": [], "moon": ["mars"]}
    many = [{"item_id": str(one), "categories": ["a", "b"]} for one in range(40)]
    assert same_kinds(many)["39"] == [str(one) for one in range(38, 22, -1)]


def test_a_tag_is_words_without_a_rating() -> None:
    assert tag_of(tag("farm", " So  Quiet ")) == "so quiet"
    assert tag_of(tag("farm", "quiet", rating=4.0)) == ""
    assert tag_of({"item_id": "farm"}) == ""


def test_who_is_given_a_tag_names_those_that_had_it() -> None:
    tags = Tags()
    assert tags.take([tag("mars", "robots"), tag("farm", "quiet")]) == {}
    assert tags.take([tag("moon", "Robots"), tag("moon", "robots")]) == {"moon": ["mars"]}
    assert tags.take([tag("moon", "quiet"), tag("barn", "robots")]) == {
        "moon": ["farm", "mars"],
        "barn": ["moon", "mars"],
    }


def test_what_many_were_given_says_nothing() -> None:
    tags = Tags()
    named = tags.take([tag(str(one), "good") for one in range(own_graph.RARE + 3)])
    assert list(named) == [str(one) for one in range(1, own_graph.RARE)]


def test_a_tag_is_known_after_its_batch_and_kinds_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_graph, "BATCH", 2)
    events = [
        {"event_id": "e1", "ts": TS + 5, "user_id": "ben", "item_id": "mars", "rating": 5.0},
        {"event_id": "e2", "ts": TS + 6, "user_id": "ben", "item_id": "farm", "rating": 5.0},
        tag("farm", "robots"),
        tag("moon", "robots"),
        {"event_id": "e3", "ts": TS + 12, "user_id": "ben", "item_id": "moon", "rating": 5.0},
    ]
    log = Log(
        [record(Topic.ITEMS, one) for one in ITEMS], [record(Topic.REVIEWS, e) for e in events]
    )
    assert first_tag(log) == 2
    engine = InlineEngine(Settings(), HashingEncoder())
    named: dict[str, dict[str, tuple[str, ...]]] = {}
    process = engine.process

    def watched(batch: Sequence[LogRecord]) -> Effects:
        moon = engine.catalogue.get("moon")
        for event in [orjson.loads(one.value).get("event_id") for one in batch]:
            if event and moon:
                named[event] = dict(moon.relations)
        return process(batch)

    monkeypatch.setattr(engine, "process", watched)
    play(log, (own_graph.KINDS, own_graph.TAGS), engine, 2)
    kinds = {own_graph.KINDS: ("mars",)}
    before = dict.fromkeys(("e1", "e2", "farm robots", "moon robots"), kinds)
    assert named == before | {"e3": kinds | {own_graph.TAGS: ("farm",)}}


def test_a_change_names_all_of_an_item() -> None:
    (one,) = changes({"moon": ["farm"]}, {"moon": ["mars"]}, TS + 9)
    assert orjson.loads(one.value) == {
        "item_id": "moon",
        "ts": TS + 9,
        "relations": {"tags": ["farm"], "kinds": ["mars"]},
    }


def record(topic: Topic, value: dict[str, Any]) -> LogRecord:
    return LogRecord(1, topic, str(value["item_id"]).encode(), orjson.dumps(value))
