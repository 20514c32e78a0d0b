"""What a policy finds in a log."""

from __future__ import annotations

import orjson

from stream.chain.policy.policy import Policy, TermList
from stream.chain.policy.terms import Terms
from stream.replay.harm import look_through
from stream.replay.log import BadLine, LogRecord
from upwell.events import Topic

POLICY = Policy([TermList("abuse", Terms(["darn", "shoot"])), TermList("more", Terms(["darn"]))])
EVENTS = [
    (
        Topic.ITEMS,
        {"item_id": "i1", "ts": 1_700_000_000_000, "title": "A darn thing", "brand": "Sh00t"},
    ),
    (Topic.ITEMS, {"item_id": "i2", "ts": 1_700_000_000_000, "title": "A thing"}),
    (
        Topic.REVIEWS,
        {"user_id": "u", "item_id": "i1", "ts": 1_700_000_000_000, "text": "DARN! " + "x" * 99},
    ),
    (Topic.REVIEWS, {"user_id": "u", "item_id": "i1", "ts": 1_700_000_000_000, "rating": 5}),
    (Topic.QUERIES, {"user_id": "u", "ts": 1_700_000_000_000, "text": "things"}),
    (Topic.CLICKS, {"user_id": "u", "item_id": "darn", "ts": 1_700_000_000_000, "action": "click"}),
    (Topic.QUERIES, {"user_id": "u", "ts": 1_700_000_000_000}),
]


def lines() -> list[LogRecord | BadLine]:
    return [
        LogRecord(number, topic, b"k", orjson.dumps({"event_id": f"e{number}", **value}))
        for number, (topic, value) in enumerate(EVENTS, 1)
    ]


def test_texts_and_terms_are_counted_with_the_words_around_them() -> None:
    told = look_through([*lines(), BadLine(9, "bad_json", "no record", b"no")], POLICY).report()
    assert told["texts"] == {"items": 2, "reviews": 1, "queries": 1}
    assert told["harmful"] == {"items": 1, "reviews": 1, "queries": 0}
    assert {(one["list"], one["term"]): one["hits"] for one in told["terms"]} == {
        ("abuse", "darn"): 2,
        ("more", "darn"): 2,
        ("abuse", "shoot"): 1,
    }
    assert told["terms"][0]["examples"] == ["A darn thing Sh00t", "DARN! " + "x" * 29]


def test_a_log_without_a_hit_says_so() -> None:
    assert look_through(lines(), Policy()).report() == {
        "texts": {"items": 2, "reviews": 1, "queries": 1},
        "harmful": {"items": 0, "reviews": 0, "queries": 0},
        "terms": [],
    }
