"""Rates of what follows a click through the whole chain: events that come twice, late, in other
micro-batches, at the same time.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import orjson
import pytest

from encoders.hashing import HashingEncoder
from learner.objectives.outcomes import BOUGHT, LEFT, OPENED, RETURNED, STAYED
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings

T0 = 1_700_000_000_000
DAY_MS = 86_400_000
IDS = ("a", "ключ", "日本 ", "d" * 256)
Counted = dict[str, dict[int, float]]


def record(topic: Topic, user: str, **told: object) -> LogRecord:
    return LogRecord(0, topic, user.encode(), orjson.dumps({"user_id": user, **told}))


def click(event_id: str, ts: int, item: str, action: str = "click", user: str = "ann") -> LogRecord:
    told = {"event_id": event_id, "ts": T0 + ts, "item_id": item, "action": action}
    return record(Topic.CLICKS, user, **told)


def counted(events: list[LogRecord], size: int = 8) -> Counted:
    """By item what was counted of it, without zeros."""
    own = Settings()
    learner = replace(own.learner, fused=False, objectives="purchase=1")
    engine = InlineEngine(replace(own, learner=learner), HashingEncoder(16))
    for _ in engine.play(events, size):
        pass
    catalogue = engine.learner.ranking.catalogue
    arrays = engine.learner.ranking.rates.arrays(len(catalogue))
    sums = arrays.get("objectives.sums", np.zeros((len(catalogue), 6)))
    return {
        item: {column: float(row[column]) for column in range(5) if row[column]}
        for item, row in zip(catalogue.ids, sums, strict=True)
        if row[:5].any()
    }


def test_what_follows_is_read_from_each_user_s_own_past() -> None:
    events = [
        click("1", 0, "a"),
        click("2", 0, "a", user="bob"),
        click("3", 40_000, "a", "purchase"),
        click("4", 50_000, "b"),
        click("5", DAY_MS, "c", user="bob"),
        click("6", DAY_MS, "b", "purchase", user="bob"),
    ]
    found = counted(events)
    assert set(found) == {"a", "b", "c"}
    assert found["a"].keys() == {OPENED, BOUGHT, LEFT, STAYED, RETURNED}
    assert found["a"][BOUGHT] == found["a"][RETURNED] == 1.0
    assert found["b"] == {OPENED: 1.0}
    assert found["c"] == {OPENED: 1.0, LEFT: 1.0}


@pytest.mark.parametrize("size", [1, 3, 200])
def test_other_micro_batches_and_repeats_change_nothing(size: int) -> None:
    rng, events = random.Random(5), list[LogRecord]()
    for number in range(120):
        user, item = rng.choice("uvw"), rng.choice(IDS)
        ts = number // 3 * 900_000  # three at once
        events.append(
            click(f"e{number}", ts, item, rng.choice(("click", "purchase", "view")), user)
        )
    whole = counted(events)
    assert set(whole) == set(IDS)
    assert counted(events, size) == whole
    again = [one for event in events for one in (event, event)]
    assert counted(again, size) == whole


def test_a_purchase_that_comes_late_counts_where_its_click_stands_before_it() -> None:
    click_first = [click("1", 0, "a"), click("3", DAY_MS, "c"), click("2", 9, "a", "purchase")]
    assert counted(click_first)["a"][BOUGHT] == 1.0
    click_last = [click("2", 9, "a", "purchase"), click("3", DAY_MS, "c"), click("1", 0, "a")]
    assert counted(click_last)["a"] == {OPENED: 1.0}


def test_a_user_who_only_rates_says_nothing_of_it() -> None:
    told = {"event_id": "1", "ts": T0, "item_id": "a", "rating": 5.0}
    assert counted([record(Topic.REVIEWS, "ann", **told)]) == {}
