"""Fake users as events of a log."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import orjson
import pytest

from bench.attacks.profiles import FAKE, FEW, KINDS, Attack, World, attacked
from bench.prequential import Log
from stream.replay.log import LogRecord
from upwell.events import Topic

ITEMS = [
    LogRecord(
        0,
        Topic.ITEMS,
        b"k",
        orjson.dumps({"item_id": f"i{n}", "title": f"T{n}", "categories": [f"c{n % 3}"]}),
    )
    for n in range(30)
]
EVENTS = [
    LogRecord(
        0,
        Topic.REVIEWS,
        b"k",
        orjson.dumps(
            {
                "event_id": f"e{n}",
                "ts": n,
                "user_id": f"u{n // 20}",
                "item_id": f"i{n * 7 % 30}",
                "rating": 4.0,
            }
        ),
    )
    for n in range(800)
]
LOG = Log(ITEMS, EVENTS)
WORLD = World.of(LOG)


def fakes(events: list[LogRecord]) -> dict[str, list[dict[str, Any]]]:
    """By user, with the place of each."""
    found = defaultdict(list)
    for place, record in enumerate(events):
        value = orjson.loads(record.value)
        if value["event_id"].startswith(FAKE):
            found[value["user_id"]].append({**value, "place": place})
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slow", [False, True])
def test_each_kind_pushes_its_item_within_its_budget_and_its_time(kind: str, slow: bool) -> None:
    attack = Attack(kind, 0.25, slow)
    events = attacked(LOG, WORLD, attack, "i3", np.random.default_rng(1))
    assert [one for one in events if FAKE.encode() not in one.value] == EVENTS
    found = fakes(events)
    places = [one["place"] for some in found.values() for one in some]
    assert len(places) == 10 * 10  # ten profiles of ten for forty users
    assert min(places) >= LOG.warmup
    assert (max(places) - min(places) < 0.1 * len(EVENTS) + len(places)) or slow
    assert all(any(one["item_id"] == "i3" for one in some) for some in found.values())
    users = {"clicks_few": FEW, "clicks_many": 100}.get(kind, 10)
    assert len(found) == users


def test_the_same_seed_gives_the_same_events_and_another_gives_others() -> None:
    attack = Attack("random", 0.25)
    one, same, other = (
        attacked(LOG, WORLD, attack, "i3", np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one == same != other


def test_ratings_are_as_the_kind_says() -> None:
    def stars(kind: str) -> set[float]:
        events = attacked(LOG, WORLD, Attack(kind, 0.25), "i3", np.random.default_rng(1))
        some = [one for user in fakes(events).values() for one in user]
        return {one["rating"] for one in some if one["item_id"] != "i3"}

    assert stars("love_hate") == {0.5}
    assert stars("bandwagon") == {5.0}
    assert stars("average") == {4.0}
    assert stars("segment") == {0.5, 5.0}
    assert len(stars("random")) > 3
