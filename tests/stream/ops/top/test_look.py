"""How old words are, whatever the clocks say, and how long the first look waits. On a real broker:
tests/stream/ops/commands/test_top.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from stream.broker.feeds import Broadcast
from stream.chain.records import BroadcastRecord
from stream.ops.top.look import ANSWER_SECONDS, Look
from tests.stream.ops.top.records import learn, packed, serve
from upwell.system.clock import now_ms

MINUTE_MS = 60_000


class Feed:
    """Gives what was put into it, once."""

    def __init__(self, *records: BroadcastRecord) -> None:
        self.waiting = list(records)

    def drain(self) -> Iterator[BroadcastRecord]:
        found, self.waiting = self.waiting, []
        return iter(found)


class Clock:
    """Moves by `step` seconds whenever it is asked."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 1_000.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def record(said: dict[str, Any], appended_ms: int) -> BroadcastRecord:
    return BroadcastRecord(0, 0, b"", packed(said), {}, appended_ms)


def look(feed: Feed, clock: Clock) -> Look:
    return Look(cast(Broadcast, feed), clock)


def ages(report: dict[str, Any]) -> dict[str, float]:
    return {one["name"]: one["said_s"] for one in report["workers"]}


def test_what_was_read_of_before_is_as_old_as_its_stamp() -> None:
    looking = look(Feed(record(serve(1), now_ms() - MINUTE_MS)), Clock())
    assert ages(looking.report())["serve-0"] == pytest.approx(60, abs=10)


@pytest.mark.parametrize("skew_ms", [-10 * MINUTE_MS, 0, 10 * MINUTE_MS])
def test_what_comes_in_is_new_whatever_the_broker_s_clock_says(skew_ms: int) -> None:
    feed, clock = Feed(record(serve(1), now_ms() + skew_ms)), Clock()
    looking = look(feed, clock)
    feed.waiting = [record(serve(2), now_ms() + skew_ms)]
    assert ages(looking.report()) == {"serve-0": 0.0}
    clock.now += 7.0
    assert ages(looking.report()) == {"serve-0": 7.0}


def test_the_first_look_waits_until_all_are_heard() -> None:
    feed = Feed(record(serve(1), now_ms()), record(learn(1), now_ms()))
    looking = look(feed, clock := Clock(0.1))
    feed.waiting = [record(serve(2), now_ms()), record(learn(2), now_ms())]
    looking.first_report()
    assert clock.now - 1_000.0 < ANSWER_SECONDS


def test_the_first_look_does_not_wait_for_who_says_nothing() -> None:
    looking = look(Feed(record(serve(1), now_ms())), clock := Clock(0.5))
    assert list(ages(looking.first_report())) == ["serve-0"]
    assert clock.now - 1_000.0 >= ANSWER_SECONDS
    assert look(Feed(), Clock(0.5)).first_report()["workers"] == []
