"""What `upwell top` says of two engines' words, of one's, and of nobody's."""

from __future__ import annotations

from typing import Any

import pytest

from stream.ops.commands.manual import MANUAL
from stream.ops.top.figures import report
from stream.ops.top.history import History
from tests.stream.ops.top.records import learn, packed, serve


def said(*records: dict[str, Any], now: float = 0.0) -> dict[str, Any]:
    history = History()
    for record in records:
        history.take(packed(record), 0.0)
    return report(history, now, 77)


def test_nobody_speaks() -> None:
    found = said()
    assert found["workers"] == []
    assert (found["events_per_s"], found["quality"], found["model"]) == (None, None, None)
    assert found["freshness_ms"] == {"p50": None, "p99": None, "lists": 0}
    assert (found["at"], found["lag"], found["users"]) == (77, {}, 0)


def test_the_object_is_the_documented_one() -> None:
    assert list(said()) == list(MANUAL["top"].fields)


def test_rates_are_between_the_first_word_and_the_last_by_the_worker_s_clock() -> None:
    found = said(serve(10_000, fresh=[0.01], events=8), serve(14_000, fresh=[0.01] * 3, events=48))
    assert (found["events_per_s"], found["lists_per_s"]) == (10.0, 0.5)
    assert found["items_per_s"] == 2.5
    assert found["batch_events"] == 4.0
    assert found["workers"][0]["cpu"] == 0.5


def test_one_word_alone_tells_no_rate() -> None:
    found = said(serve(10_000, fresh=[0.01], events=8))
    assert (found["events_per_s"], found["batch_events"]) == (None, None)
    assert found["freshness_ms"]["lists"] == 0
    assert found["workers"][0]["cpu"] is None


def test_two_workers_are_added_up_and_one_that_fell_counts_from_its_start() -> None:
    found = said(
        serve(0, "a", events=400, lag={"clicks": 2}, dead_letters={"truncated": 1}, hot_users=5),
        serve(2_000, "a", events=40, lag={"clicks": 3}, dead_letters={"truncated": 2}, hot_users=5),
        serve(0, "b", events=100, items=7),
        serve(2_000, "b", events=140, lag={"clicks": 1, "reviews": 9}, items=7, hot_users=6),
    )
    assert found["events_per_s"] == 40.0
    assert found["lag"] == {"reviews": 9, "clicks": 4}
    assert found["dead_letters"] == {"truncated": 2}
    assert (found["users"], found["items"]) == (11, 7)


def test_freshness_is_of_what_came_in_lately() -> None:
    slow = [9.0] * 50
    found = said(serve(0, fresh=slow), serve(5_000, fresh=[*slow, *[0.015] * 100]))
    assert found["freshness_ms"]["lists"] == 100
    assert 10 <= found["freshness_ms"]["p50"] <= 20
    assert 10 <= found["freshness_ms"]["p99"] <= 20


def test_quality_is_held_against_the_best_peer_of_all_targets() -> None:
    running = {
        "model": {"ndcg10": {"all": 0.05, "warm": 0.9}, "hr10": {"all": 0.1}},
        "popularity": {"ndcg10": {"all": 0.02, "warm": 0.99}},
        "transition_10": {"ndcg10": {"all": 0.04}},
        "text_similarity": {"ndcg10": {"all": None}},
    }
    found = said(learn(0, figures={"targets": {"all": 12}, "running": running}))["quality"]
    assert found == {
        "ndcg10": 0.05,
        "hr10": 0.1,
        "peer": "transition_10",
        "peer_ndcg10": 0.04,
        "targets": 12,
    }


def test_the_guard_says_its_last_ruling() -> None:
    counts = {"promote": 3, "superseded": 2, "roll_back": 0}
    found = said(learn(0, candidates=counts, ruled={"verdict": "promote", "examples": 310}))
    assert found["guard"] == {"rulings": counts, "verdict": "promote", "examples": 310}
    assert said(learn(0))["guard"]["verdict"] is None


@pytest.mark.parametrize(("learned", "behind"), [(100, 40), (50, 0)])
def test_the_model_is_that_of_the_worker_furthest_behind(learned: int, behind: int) -> None:
    found = said(
        serve(9_000, "a", model_examples=70, model_version="70-b", model_at=8_000),
        serve(9_000, "b", model_examples=60, model_version="60-a", model_at=4_000),
        learn(9_000, model_examples=learned),
    )["model"]
    assert found == {"version": "60-a", "age_s": 5.0, "behind": behind}
    assert said(serve(9_000))["model"] == {"version": "1-abc", "age_s": None, "behind": None}


def test_each_worker_says_how_old_its_last_word_is_and_what_it_takes() -> None:
    found = said(serve(0), learn(0), {"instance": "standby-x", "role": "standby", "at": 0}, now=3.0)
    assert [(one["name"], one["said_s"], one["memory_bytes"]) for one in found["workers"]] == [
        ("serve-0", 3.0, 512 << 20),
        ("learn", 3.0, 300 << 20),
        ("standby-x", 3.0, None),
    ]
