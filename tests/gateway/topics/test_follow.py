"""What the gateway reads of a real broker: of lists the newest, of requests to forget all."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from gateway.topics import follow
from gateway.topics.follow import TopicFollower
from stream.broker.topics import ensure_topics
from tests.gateway.served import wait_until
from upwell.errors import BrokerError
from upwell.events import Topic

PARTITIONS = 2


class Following:
    """A follower of topics that exist, and what it delivered."""

    def __init__(self, kafka: str, prefix: str, lists: int) -> None:
        self._prefix = prefix
        self.client = {"bootstrap_servers": kafka}
        self.taken: list[Any] = []
        self.failures: list[BaseException] = []
        self.follower = TopicFollower(self.client, prefix, lists, self._take, self.failures.append)

    def _take(self, records: Sequence[Any]) -> None:
        self.taken += records

    def send(self, topic: Topic, *values: str) -> None:
        producer = KafkaProducer(acks="all", **self.client)
        sent = [
            producer.send(
                self._prefix + topic, key=value.encode(), value=value.encode(), partition=0
            )
            for value in values
        ]
        for one in sent:
            one.get(30)
        producer.close()

    def values(self, topic: Topic) -> list[str]:
        return [one.value.decode() for one in self.taken if one.topic == self._prefix + topic]


@pytest.fixture
def following(kafka: str, prefix: str) -> Iterator[Following]:
    ensure_topics(prefix, PARTITIONS, {"bootstrap_servers": kafka})
    one = Following(kafka, prefix, lists=3)
    yield one
    one.follower.stop()


def test_of_lists_the_newest_are_read_and_of_requests_to_forget_all(following: Following) -> None:
    numbers = [str(number) for number in range(8)]
    for topic in follow.FOLLOWED:
        following.send(topic, *numbers)
    following.follower.start()
    assert following.values(Topic.RECOMMENDATIONS) == ["5", "6", "7"]
    assert following.values(Topic.CONTROLS) == numbers
    assert following.values(Topic.DEAD_LETTERS) == numbers
    assert following.values(Topic.METRICS) == following.values(Topic.CONFIRMATIONS) == []
    assert following.follower.shortcoming() is None
    for topic in follow.FOLLOWED:
        following.send(topic, "then")
    wait_until(
        lambda: all(following.values(topic)[-1:] == ["then"] for topic in follow.FOLLOWED),
        "what came afterwards",
    )


def test_topics_that_are_not_there_are_named(kafka: str, prefix: str) -> None:
    one = Following(kafka, prefix, lists=3)
    with pytest.raises(BrokerError, match=f"topic {prefix}recommendations does not exist"):
        one.follower.start()
    one.follower.stop()


def test_a_broker_that_is_silent_is_a_shortcoming(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.follower.start()
    monkeypatch.setattr(follow, "STALE_SECONDS", 0.0)
    assert "the broker has not answered for" in (following.follower.shortcoming() or "")


def test_a_thread_that_ends_by_an_error_is_heard_of(following: Following) -> None:
    following.follower.start()
    told = threading.Event()

    def fall(records: Sequence[Any]) -> None:
        told.set()
        raise ValueError("no loop any more")

    following.follower._deliver = fall
    following.send(Topic.RECOMMENDATIONS, "one")
    assert told.wait(30)
    wait_until(lambda: bool(following.failures), "the failure")
    assert str(following.failures[0]) == "no loop any more"


def test_a_broker_that_cannot_be_asked_for_a_moment_ends_nothing(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.follower.start()
    consumer = following.follower._consumer
    assert consumer is not None
    refused = threading.Event()
    poll = consumer.poll

    def once(**asked: Any) -> Any:
        if not refused.is_set():
            refused.set()
            raise KafkaTimeoutError("no broker")
        return poll(**asked)

    monkeypatch.setattr(consumer, "poll", once)
    assert refused.wait(30)
    following.send(Topic.RECOMMENDATIONS, "then")
    wait_until(lambda: following.values(Topic.RECOMMENDATIONS) == ["then"], "what came afterwards")
    assert following.failures == []
