"""Upwell as a policy: its own list of the moment, without exploration, from what came before."""

from __future__ import annotations

import json

from encoders.hashing import HashingEncoder
from stream.replay.inline_policy import Upwell
from stream.replay.log import LogRecord
from upwell.events import Impression, Item, Topic
from upwell.settings import LearnerSettings, Settings

T0 = 1_700_000_000_000


def line(number: int, topic: Topic, key: str, **value: object) -> LogRecord:
    return LogRecord(
        number,
        topic,
        key.encode(),
        json.dumps({"event_id": f"e{number}", "ts": T0 + number, **value}).encode(),
    )


def answers(explore: float) -> list[tuple[str, ...]]:
    """What it would show to each of eight users after each of their clicks."""
    policy, found = (
        Upwell(Settings(learner=LearnerSettings(fused=False, explore=explore)), HashingEncoder(8)),
        [],
    )
    seen = Item(item_id="i", ts=T0, title="t")
    for number in range(30):
        policy.see(
            line(
                number,
                Topic.ITEMS,
                f"i{number}",
                item_id=f"i{number}",
                title=f"title number {number}",
            ),
            seen,
        )
    for number in range(30, 70):
        user = f"u{number % 8}"
        policy.see(
            line(number, Topic.CLICKS, user, user_id=user, item_id=clicked(number), action="click"),
            seen,
        )
        shown = Impression(
            event_id=f"s{number}",
            ts=T0 + number,
            user_id=user,
            list_id=f"l{number}",
            item_ids=("i1", "i2", "i3"),
        )
        found.append(policy.items_for(shown))
    return found


def clicked(number: int) -> str:
    return f"i{number * number % 30}"


def test_it_is_asked_for_its_list_of_that_moment_without_exploration() -> None:
    lists = answers(0.5)
    assert lists == answers(0.0)
    assert {len(one) for one in lists} == {3}
    for number, one in enumerate(lists, 30):
        assert not {
            clicked(past) for past in range(30, number + 1) if past % 8 == number % 8
        } & set(one)
