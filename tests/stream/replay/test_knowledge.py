"""A log with lines of `knowledge`, through chains, learner and lists in one process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import orjson
import pytest

from encoders.hashing import HashingEncoder
from learner.release.replica import Replica
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings

JANUARY, JULY = (round(datetime(2026, month, 5, tzinfo=UTC).timestamp() * 1000) for month in (1, 7))
NAMES = ("skates", "sled", "sandals", "film")


def line(topic: Topic, key: str, **value: object) -> LogRecord:
    return LogRecord(0, topic, key.encode(), orjson.dumps({"ts": JANUARY, **value}))


def known(key: str, **value: object) -> LogRecord:
    return line(Topic.KNOWLEDGE, key, **value)


def triple(item_id: str, relation: str, **end: object) -> LogRecord:
    return known(item_id, kind="triple", item_id=item_id, relation=relation, **end)


def rule(rule_id: str, **more: object) -> LogRecord:
    return known(rule_id, kind="filter", rule_id=rule_id, **more)


class Played:
    """An engine that was told of four items, and lists of it."""

    def __init__(self, serving: Literal["live", "guarded"]) -> None:
        self.engine = InlineEngine(Settings(), HashingEncoder(), serving=serving)
        self._asked = 0
        self.play(
            triple("skates", "season", value="winter"),  # before anybody announced it
            *(
                line(Topic.ITEMS, name, item_id=name, title=name, categories=["Film"])
                if name == "film"
                else line(Topic.ITEMS, name, item_id=name, title=name, categories=["Sport"])
                for name in NAMES
            ),
            triple("sled", "season", value="winter"),
        )

    def play(self, *lines: LogRecord) -> None:
        for _ in self.engine.play(lines):
            pass

    def listed(self, ts: int, category: str | None = None) -> set[str]:
        self._asked += 1
        request = f"r{self._asked}"
        asked = line(
            *(Topic.REQUESTS, "ann"),
            ts=ts,
            event_id=request,
            user_id="ann",
            request_id=request,
            category=category,
        )
        [effects] = self.engine.play([asked])
        [fresh] = effects.lists
        return {entry.item_id for entry in fresh.items}


@pytest.fixture(scope="module", params=["live", "guarded"])
def played(request: pytest.FixtureRequest) -> Played:
    return Played(request.param)


def test_a_season_holds_in_its_months_alone_until_it_is_taken_back(played: Played) -> None:
    assert played.listed(JULY) == set(NAMES)
    season = {"relation": "season", "value": "winter", "months": [6, 7, 8]}
    played.play(rule("summer", **season))
    assert played.listed(JULY) == {"sandals", "film"}
    assert played.listed(JULY, "Sport") == {"sandals"}
    assert played.listed(JANUARY) == set(NAMES)
    played.play(triple("skates", "season", value="winter", deleted=True))
    assert played.listed(JULY) == {"skates", "sandals", "film"}
    played.play(rule("summer", **season | {"months": [1]}))
    assert (played.listed(JULY), played.listed(JANUARY)) == (set(NAMES), set(NAMES) - {"sled"})
    played.play(rule("summer", deleted=True), triple("skates", "season", value="winter"))
    assert played.listed(JANUARY) == set(NAMES)


def test_a_category_is_left_out_always_or_within_another(played: Played) -> None:
    played.play(rule("never", category="Film"), rule("kids", category="Sport", within="Film"))
    assert played.listed(JULY) == set(NAMES) - {"film"}
    assert played.listed(JULY, "Film") == set()
    assert played.listed(JULY, "Sport") == set(NAMES) - {"film"}
    played.play(rule("never", deleted=True), rule("kids", deleted=True))
    assert played.listed(JULY) == set(NAMES)


def test_rules_outlast_a_model_that_begins_anew_from_a_checkpoint() -> None:
    played = Played("live")
    played.play(rule("never", category="Film"))
    learner = played.engine.learner
    learner.restore(learner.arrays(), learner.meta())
    assert played.listed(JULY) == set(NAMES) - {"film"}
    assert set(learner.rule_ids) == {"never"}
    assert set(Replica(Settings().learner, learner.dimension).rule_ids) == set()
