"""Which attacks are played, on which catalogue."""

from __future__ import annotations

import orjson

from bench.attacks.profiles import Attack
from bench.attacks.run import attacks, named_items
from bench.prequential import Log
from tests.bench.attacks.test_profiles import EVENTS, ITEMS


def test_the_catalogue_is_of_the_items_that_are_rated() -> None:
    log = named_items(Log(ITEMS, EVENTS[:5]))
    rated = {orjson.loads(one.value)["item_id"] for one in EVENTS[:5]}
    assert {orjson.loads(one.value)["item_id"] for one in log.items} == rated
    assert len(log.items) == len(rated) < len(ITEMS)


def test_each_kind_is_played_at_each_share_and_pace() -> None:
    found = list(attacks(["random", "text"], [0.01, 0.05], ["burst", "slow"]))
    assert len(set(found)) == 8
    assert found[0] == Attack("random", 0.01)
