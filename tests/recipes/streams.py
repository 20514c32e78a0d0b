"""What the tests of recipes have in common: the events of one, and a short play of it."""

from __future__ import annotations

from typing import Any

from encoders.hashing import HashingEncoder
from stream.chain.validate import decode
from stream.replay.recipes.folder import environment_of, find
from stream.replay.recipes.recipe import Asked, Source
from upwell.events import Click, Event, Item, Review
from upwell.recommendations import DeadLetter

__all__ = ["LOG", "events_of", "played", "source_of"]

FOREVER_MS = 1 << 53
LOG = (
    '{"topic":"items","key":"a","value":{"item_id":"a","ts":1700000000001,"title":"A"}}\n'
    '{"topic":"clicks","key":"u","value":{"event_id":"1","ts":1700000000002,"user_id":"u","item_id":"a",'
    '"action":"click"}}\n'
    '{"topic":"items","key":"b","value":{"item_id":"b","ts":1700000000003,"title":"B"}}\n'
    '{"topic":"clicks","key":"v","value":{"event_id":"2","ts":1700000000004,"user_id":"v","item_id":"a",'
    '"action":"click"}}\n'
)


def source_of(name: str, events: int = 1_200, seed: int = 7) -> Source:
    return find(name).read(Asked(None, events, seed))


def events_of(source: Source) -> list[Event]:
    """All of them are right, and in the order of time."""
    found = []
    for one in source.records:
        event = decode(one.topic, 0, one.line, one.value, FOREVER_MS)
        assert not isinstance(event, DeadLetter), event
        found.append(event)
    times = [one.ts for one in found if isinstance(one, Click | Item | Review)]
    assert times == sorted(times)
    return found


def played(name: str, source: Source) -> dict[str, Any]:
    """NDCG@10 by side."""
    environment = environment_of(name, {"UPWELL_FUSED": "false"})
    found = find(name).play(source, environment, HashingEncoder(), lambda done: None)
    return {side: told["ndcg10"]["all"] for side, told in found.figures["sides"].items()}
