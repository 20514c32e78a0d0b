"""A second learner waits while another learns, says so, and takes over; its turn is refused by name
where it would go on from another model. On real Kafka.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaConnectionError

from learner.release.checkpoint import save_checkpoint
from learner.release.folder import LocalFolder
from stream.broker.feeds import read_partition
from stream.broker.model_records import Version, rollback_record, version_record
from stream.broker.topics import ensure_topics
from stream.chain.publish import Outgoing
from stream.learn.lock import LearnerLock
from stream.learn.options import LearnOptions
from stream.learn.standby import announced, check_shared, take_turn
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.settings import KafkaSettings


@pytest.fixture
def options(kafka: str, prefix: str, tmp_path: Path) -> LearnOptions:
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, client)
    return LearnOptions(
        prefix=prefix,
        home=tmp_path,
        folder=LocalFolder(tmp_path / "models"),
        engine="second",
        publish_ms=10,
        checkpoint_examples=10,
        client=client,
    )


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Waiting:
    """A learner that asks for its turn in a thread of its own."""

    def __init__(self, options: LearnOptions) -> None:
        self.lock = LearnerLock(options.client, options.prefix, options.engine)
        self.result: bool | BaseException | None = None
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(options,))
        self._thread.start()

    def _ask(self, options: LearnOptions) -> None:
        try:
            self.result = take_turn(self.lock, options, clock_ms, self._told.is_set)
        except BaseException as exc:
            self.result = exc

    def ended(self) -> bool | BaseException | None:
        self._thread.join(timeout=60)
        return self.result

    def stop(self) -> None:
        self._told.set()
        self._thread.join()
        self.lock.release()


@contextmanager
def waiting(options: LearnOptions) -> Iterator[Waiting]:
    one = Waiting(options)
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def holder(options: LearnOptions, owner: str = "first") -> Iterator[LearnerLock]:
    lock = LearnerLock(options.client, options.prefix, owner)
    lock.take()
    try:
        yield lock
    finally:
        lock.release()


def said(options: LearnOptions) -> list[dict[str, Any]]:
    metrics = TopicPartition(options.prefix + Topic.METRICS, 0)
    return [orjson.loads(one.value) for one in read_partition(options.client, metrics, 0)]


def until_said(options: LearnOptions, leaves: bool = False) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (found := said(options)) and found[-1]["leaves"] is leaves:
            return found[-1]
    raise AssertionError("the standby did not speak")


def send(options: LearnOptions, one: Outgoing) -> None:
    with KafkaProducer(**options.client) as producer:
        producer.send(
            options.prefix + one.topic, value=one.value, partition=0, headers=list(one.headers)
        ).get(timeout=30)


def saved(options: LearnOptions) -> Version:
    made = save_checkpoint(options.folder, {}, {})
    return Version("1-a", made.name, made.sha256, {})


def test_the_first_of_all_does_not_wait(options: LearnOptions) -> None:
    with waiting(options) as one:
        assert one.ended() is True
        one.lock.confirm()
    assert said(options) == []


def test_it_says_once_for_whom_it_waits_and_takes_over_when_that_one_is_gone(
    options: LearnOptions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "upwell.learn")
    with holder(options) as first, waiting(options) as one:
        found = until_said(options)
        assert found["role"] == "standby"
        assert (found["instance"], found["waits_for"]) == ("standby-second", "first")
        for _ in range(20):
            first.keep()
            first.confirm()  # and is not asked to join again for it
        first.release()
        assert one.ended() is True
        one.lock.confirm()
        assert until_said(options, leaves=True)["instance"] == "standby-second"
    assert caplog.text.count("standby: first learns") == 1
    assert caplog.text.count("first learns no more: this engine does") == 1


def test_told_to_end_it_leaves_without_a_turn(options: LearnOptions) -> None:
    with holder(options) as first:
        with waiting(options) as one:
            until_said(options)
            one.stop()
            assert one.result is False
        assert until_said(options, leaves=True)["waits_for"] == "first"
        first.confirm()


def test_of_two_that_wait_one_takes_over_and_the_other_waits_for_it(options: LearnOptions) -> None:
    third = replace(options, engine="third")
    with holder(options) as first, waiting(options) as one, waiting(third) as other:
        until_said(options)
        first.release()
        while one.result is None and other.result is None:
            threading.Event().wait(0.05)
        got, waits = (one, other) if one.result else (other, one)
        got.lock.confirm()
        seen = len(said(options))
        while not any(one["waits_for"] in ("second", "third") for one in said(options)[seen:]):
            got.lock.keep()
            got.lock.confirm()
        assert waits.result is None


def test_a_broker_that_is_away_is_waited_for_and_said_once(
    options: LearnOptions, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "upwell.learn")
    with holder(options) as first, waiting(options) as one:
        until_said(options)
        away = threading.Event()
        away.set()
        asked: list[int] = []
        others = LearnerLock.others

        def ask(lock: LearnerLock) -> list[str]:
            asked.append(1)
            if away.is_set():
                raise KafkaConnectionError("refused")
            return others(lock)

        monkeypatch.setattr(LearnerLock, "others", ask)
        while len(asked) < 3:
            threading.Event().wait(0.05)
        away.clear()
        first.release()
        assert one.ended() is True
    assert caplog.text.count("the broker does not answer (KafkaConnectionError)") == 1
    assert caplog.text.count("the broker answers again") == 1


@pytest.mark.parametrize("make", [version_record, rollback_record])
def test_the_version_that_was_announced_last_has_to_be_in_its_folder(
    options: LearnOptions, make: Any, tmp_path: Path
) -> None:
    assert announced(options.client, options.prefix) is None
    assert check_shared(options) is False
    send(options, version_record(saved(options)))
    newest = saved(options)
    send(options, make(newest))
    assert announced(options.client, options.prefix) == newest
    assert check_shared(options) is True
    elsewhere = replace(options, folder=LocalFolder(tmp_path / "elsewhere"))
    with pytest.raises(SettingsError, match=r"announces is not in .*elsewhere: set UPWELL_MODELS"):
        check_shared(elsewhere)
    other = replace(newest, sha256="0" * 64)
    send(options, make(other))
    with pytest.raises(SettingsError, match="UPWELL_MODELS"):
        check_shared(options)


@pytest.mark.parametrize("alive", [True, False])
def test_one_that_would_publish_another_model_is_refused(
    options: LearnOptions, tmp_path: Path, alive: bool
) -> None:
    send(options, version_record(saved(options)))
    elsewhere = replace(options, folder=LocalFolder(tmp_path / "elsewhere"))
    with holder(options) as first:
        if not alive:
            first.release()
        with waiting(elsewhere) as one:
            assert isinstance(one.ended(), SettingsError)


def test_who_comes_back_to_its_own_models_needs_no_announced_one(options: LearnOptions) -> None:
    """As where somebody has removed the checkpoints of an engine to start afresh."""
    send(options, version_record(saved(options)))
    gone = replace(options, folder=LocalFolder(Path("/nowhere")))
    with holder(options, "second") as before:
        before.release()
        with waiting(gone) as one:
            assert one.ended() is True


def test_alone_it_is_refused_instead(options: LearnOptions) -> None:
    with holder(options) as first:
        raised: list[BaseException] = []
        done = threading.Event()

        def work() -> None:
            while not done.wait(0.02):
                first.keep()
                first.confirm()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            with waiting(replace(options, alone=True)) as one:
                raised.append(one.ended())  # type: ignore[arg-type]
        finally:
            done.set()
            thread.join()
        assert isinstance(raised[0], SettingsError)
        assert "another engine (first) learns" in str(raised[0])
