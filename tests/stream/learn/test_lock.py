"""One learner a prefix, on real Kafka: a second is refused by name, the same engine comes back at
once, and who lost the lock writes nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove, NewPartitions

from stream.broker.topics import ensure_topics
from stream.learn.lock import LearnerLock
from upwell.client import client_options
from upwell.errors import BrokerError, SettingsError
from upwell.events import Topic
from upwell.settings import KafkaSettings


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    found = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, found)
    return found


@contextmanager
def locked(client: dict[str, Any], prefix: str, owner: str) -> Iterator[LearnerLock]:
    lock = LearnerLock(client, prefix, owner)
    try:
        lock.take()
        yield lock
    finally:
        lock.release()


@contextmanager
def at_work(lock: LearnerLock) -> Iterator[None]:
    """Its holder goes on as the learner's loop does; what it raises is raised at the end."""
    ended = threading.Event()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            while not ended.wait(0.02):
                lock.keep()
                lock.confirm()
        except BrokerError as exc:
            raised.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert raised == []


def test_a_second_engine_is_refused_by_name_and_the_first_goes_on(
    client: dict[str, Any], prefix: str
) -> None:
    with locked(client, prefix, "a-first") as first:
        with (
            at_work(first),
            pytest.raises(
                SettingsError,
                match=r"another engine \(a-first\) learns .*`upwell run",
            ),
            locked(client, prefix, "0-second"),
        ):
            pass
        first.confirm()


def test_the_same_engine_comes_back_while_the_dead_one_is_still_a_member(
    client: dict[str, Any], prefix: str
) -> None:
    gone = LearnerLock(client, prefix, "same")
    gone.take()  # never closed before the next one comes: as after kill -9
    with locked(client, prefix, "same") as back:
        back.confirm()
        with pytest.raises(BrokerError, match=r"the lock .*learn is lost"):
            gone.confirm()
    gone.release()


def test_it_is_not_lost_where_the_group_joins_again_while_the_learner_works(
    client: dict[str, Any], prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The group's leader joins again when it hears of another partition; kafka-python leaves that
    undone where a short poll ends before, and sends no heartbeats from then on.
    """
    caplog.set_level(logging.INFO, "kafka.coordinator")
    lock = LearnerLock({**client, "metadata_max_age_ms": 100}, prefix, "one")
    try:
        lock.take()
        add_partition(client, prefix + Topic.MODELS)
        joined = caplog.text.count("(Re-)joining group")
        rounds = 0
        while rounds < 20:  # from when it joins again
            lock.keep()
            threading.Event().wait(0.02)  # the learner learns
            lock.confirm()
            rounds += caplog.text.count("(Re-)joining group") > joined
        assert lock.held
    finally:
        lock.release()


def test_one_that_begins_anew_again_and_again_never_loses_it(
    client: dict[str, Any], prefix: str
) -> None:
    for life in range(8):
        with locked(client, prefix, "one") as lock, at_work(lock):
            for _ in range(10):
                threading.Event().wait(0.01)
        if life % 2:
            put_out(client, prefix)  # it comes back to an empty group, and leads it


def test_who_was_refused_does_not_keep_the_holder_waiting(
    client: dict[str, Any], prefix: str
) -> None:
    with locked(client, prefix, "first") as first:
        with at_work(first), pytest.raises(SettingsError), locked(client, prefix, "second"):
            pass
        assert members(client, prefix) == ["first"]
    with locked(client, prefix, "first") as back:
        back.confirm()


def test_another_engine_waits_for_a_dead_one_and_takes_over(
    client: dict[str, Any], prefix: str
) -> None:
    with locked(client, prefix, "dead"):
        pass  # a static member does not leave: its session has to end
    with locked(client, prefix, "alive") as lock:
        lock.confirm()
        assert holder(client, prefix) == (0, "alive")


def test_who_was_put_out_comes_back_unless_another_has_held_it(
    client: dict[str, Any], prefix: str
) -> None:
    with locked(client, prefix, "slow") as slow:
        put_out(client, prefix)
        slow.confirm()  # nobody else was there
        put_out(client, prefix)
        with locked(client, prefix, "quick"):
            pass
        put_out(client, prefix)
        with pytest.raises(BrokerError, match="the lock"):
            slow.confirm()


def test_the_holder_stands_in_the_metadata_of_the_group(
    client: dict[str, Any], prefix: str
) -> None:
    with locked(client, prefix, "one") as lock:
        lock.keep()
        lock.confirm()
        assert holder(client, prefix) == (0, "one")


def holder(client: dict[str, Any], prefix: str) -> tuple[int, str]:
    consumer = KafkaConsumer(group_id=prefix + "learn", **client)
    try:
        mark = consumer.committed(TopicPartition(prefix + Topic.MODELS, 0), metadata=True)
        return mark.offset, mark.metadata
    finally:
        consumer.close()


def put_out(client: dict[str, Any], prefix: str) -> None:
    """The broker forgets the members, as after a pause longer than the session."""
    admin = KafkaAdminClient(**client)
    try:
        group = prefix + "learn"
        gone = [MemberToRemove(group_instance_id=one) for one in members(client, prefix)]
        admin.remove_group_members(group, gone)
    finally:
        admin.close()


def members(client: dict[str, Any], prefix: str) -> list[str]:
    """The engines that the broker counts in the group."""
    admin = KafkaAdminClient(**client)
    try:
        described = admin.describe_groups([prefix + "learn"])[prefix + "learn"]
        return [one["group_instance_id"] for one in described["members"]]
    finally:
        admin.close()


def add_partition(client: dict[str, Any], topic: str) -> None:
    admin = KafkaAdminClient(**client)
    try:
        admin.create_partitions({topic: NewPartitions(total_count=2)})
    finally:
        admin.close()
