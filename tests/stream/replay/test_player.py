"""Records go out in order, under their keys, when due; the clock here is the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.future import Future

from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from stream.replay import player
from stream.replay.log import BadLine, LogRecord
from stream.replay.player import Pace, Player
from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.settings import KafkaSettings

BAD = BadLine(2, "not_json", "no JSON", b"{")


def record(number: int, topic: Topic = Topic.CLICKS, ts: object = None) -> LogRecord:
    return LogRecord(number, topic, b"ann", json.dumps({"n": number, "ts": ts}).encode())


@dataclass
class World:
    """A broker that takes all, and a clock that moves only when somebody sleeps."""

    now: float = 1_000.0
    sent: list[tuple[float, int]] = field(default_factory=list)
    longest: float = 0.0

    def send(self, topic: str, key: bytes, value: bytes) -> Future:
        self.sent.append((self.now - 1_000.0, json.loads(value)["n"]))
        return Future()

    def flush(self, timeout: float) -> None:
        """All is delivered."""

    def close(self) -> None:
        """Nothing is left open."""

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        self.now += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(player, "KafkaProducer", lambda **_: made)
    monkeypatch.setattr(player, "time", made)
    return made


def play(lines: list[LogRecord | BadLine], pace: Pace) -> None:
    with Player({}, "p.", lambda _: None, lambda: None) as one:
        one.play(lines, pace)


def due(world: World) -> list[Any]:
    return [pytest.approx(at) for at, _ in world.sent]


def test_as_fast_as_it_goes_nothing_waits(world: World) -> None:
    play([record(number, ts=number * 60_000) for number in range(3)], Pace())
    assert world.sent == [(0.0, 0), (0.0, 1), (0.0, 2)]


def test_a_rate_spaces_records_whatever_their_times(world: World) -> None:
    play([record(number, ts=0) for number in range(4)], Pace(rate=4))
    assert due(world) == [0.0, 0.25, 0.5, 0.75]
    assert world.longest <= player.LONGEST_SLEEP_S


def test_a_multiple_of_the_log_s_own_time(world: World) -> None:
    play([record(1, ts=5_000), record(2, ts=5_000), record(3, ts=25_000)], Pace(speed=10))
    assert due(world) == [0.0, 0.0, 2.0]


def test_announcements_and_what_has_no_time_do_not_wait(world: World) -> None:
    lines = [
        record(1, Topic.ITEMS, ts=90_000),
        record(2, ts=5_000),
        record(3, ts="later"),
        record(4, Topic.ITEMS, ts=90_000),
        record(5, ts=6_000),
    ]
    play(list(lines), Pace(speed=1))
    assert due(world) == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_a_bad_line_is_told_and_counted_and_never_sent(world: World) -> None:
    told: list[BadLine] = []
    with Player({}, "p.", told.append, lambda: None) as one:
        one.play([record(1), BAD, record(3)], Pace())
        assert (one.sent, one.bad, told) == (2, 1, [BAD])
    assert [number for _, number in world.sent] == [1, 3]


def test_while_it_waits_the_display_goes_on(world: World) -> None:
    ticks: list[float] = []
    with Player({}, "p.", lambda _: None, lambda: ticks.append(world.now)) as one:
        one.play([record(1, ts=0), record(2, ts=1_000)], Pace(speed=1))
    assert len(ticks) >= 1 / player.LONGEST_SLEEP_S


@pytest.mark.parametrize(
    "break_it",
    [
        lambda world, patch: patch.setattr(
            world, "send", lambda *_, **__: Future().failure(OSError("disk full"))
        ),
        lambda world, patch: patch.setattr(world, "flush", _raises),
    ],
    ids=["a record is refused", "the broker is gone"],
)
def test_what_was_not_taken_is_one_line(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[World, pytest.MonkeyPatch], None],
) -> None:
    break_it(world, monkeypatch)
    with pytest.raises(BrokerError, match="replay: the broker did not take all records"):
        play([record(1), record(2)], Pace())


def _raises(timeout: float) -> None:
    raise KafkaTimeoutError("disk full")


def test_on_a_broker_they_stand_in_order_under_their_keys(kafka: str, prefix: str) -> None:
    options = client_options(KafkaSettings(address=kafka))
    ensure_topics(prefix, 1, options)
    with Player(options, prefix, lambda _: None, lambda: None) as one:
        one.play([record(number) for number in range(20)], Pace())
    stored = list(read_partition(options, TopicPartition(f"{prefix}clicks", 0), 0))
    assert [json.loads(one.value)["n"] for one in stored] == list(range(20))
    assert {one.key for one in stored} == {b"ann"}
