"""The learn process forgets a user on the real broker: gone before it is confirmed, and confirmed
although it died in between.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import orjson
import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.buffer import digest
from learner.training.learner import Learner
from stream.broker.topics import ensure_topics
from stream.chain.effects import Erasure
from stream.chain.wire import encode_erasure, encode_examples, encode_rerouted
from stream.learn.erase import REMAINS, Unconfirmed, remains, request_at
from stream.learn.letters import LetterIndex
from stream.learn.loop import LearnLoop
from stream.learn.options import LearnOptions
from tests.learner.training.small import DIMENSION, SETTINGS, log
from upwell.client import UpwellClient, client_options
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.settings import KafkaSettings

NOW_MS = 2_000_000_000_000
REQUEST = {
    "event_id": "f1",
    "ts": 1_700_000_000_000,
    "kind": "forget_user",
    "user_id": "ann",
    "by": "op",
    "why": "asked to",
}


class Died(BaseException):
    """Stands in for SIGKILL: nothing catches it."""


class Undelivered:
    """A producer's answer for a record that reached no broker in time."""

    def get(self, timeout: float) -> None:
        raise KafkaTimeoutError("it took too long")


class LosingLetters(KafkaProducer):  # type: ignore[misc]
    """Delivers everything but records of `dead_letters`."""

    def send(self, topic: str, **record: object) -> object:
        lost = topic.endswith(Topic.DEAD_LETTERS)
        return Undelivered() if lost else super().send(topic, **record)


def loop_on(kafka: KafkaSettings, folder: Path) -> LearnLoop:
    options = LearnOptions(
        prefix=kafka.prefix,
        home=folder,
        folder=LocalFolder(folder),
        engine="test",
        publish_ms=10,
        checkpoint_examples=1_000_000,
        client=client_options(kafka),
    )
    learner = Learner(replace(SETTINGS, fused=True, fused_every=1_000_000), DIMENSION, 7)
    return LearnLoop(learner, options, lambda: time.time_ns() // 1_000_000)


def send(kafka: KafkaSettings, *records: tuple[Topic, int, bytes | None, bytes]) -> None:
    producer = KafkaProducer(acks="all", **client_options(kafka))
    for topic, partition, key, value in records:
        producer.send(kafka.prefix + topic, key=key, value=value, partition=partition)
    producer.close()


@pytest.fixture
def on(kafka: str, prefix: str) -> KafkaSettings:
    found = KafkaSettings(address=kafka, prefix=prefix, partitions=2)
    ensure_topics(prefix, 2, client_options(found))
    return found


def test_a_user_is_gone_before_that_is_confirmed_also_when_learn_dies_in_between(
    on: KafkaSettings, tmp_path: Path
) -> None:
    examples, _ = log(60)
    removed = [one for one in examples if one.user == "u3"]
    letters = [
        (b"clicks-0-7", {"user": "u3"}),
        (b"clicks-0-8", {"user": "u4"}),
        (b"clicks-0-9", {"user": None}),
    ]
    send(
        on,
        (Topic.CONTROLS, 1, b"ann", orjson.dumps(REQUEST)),
        *((Topic.DEAD_LETTERS, 0, key, orjson.dumps(value)) for key, value in letters),
        (Topic.EXAMPLES, 0, None, encode_examples(examples)),
        *(
            (
                Topic.EXAMPLES,
                0,
                None,
                encode_erasure(Erasure(user, "controls-1", 0, 1, guest=guest)),
            )
            for user, guest in (("u5", True), ("u3", False))
        ),
    )
    for _ in range(2):  # three checkpoints are kept otherwise
        checkpoint.save_checkpoint(
            LocalFolder(tmp_path), {}, {"stands": "in for one with the user"}
        )
    with (
        patch.object(LearnLoop, "_resume", return_value=None),
        patch("stream.learn.erase.confirmation_record", side_effect=Died),
        pytest.raises(Died),
    ):
        loop_on(on, tmp_path).run()
    [newest] = checkpoint.every(LocalFolder(tmp_path))
    arrays, meta = checkpoint.load(LocalFolder(tmp_path), newest.name)
    assert digest("u3") not in arrays["fused.trainer.buffer.users"]
    assert digest("u5") not in arrays["fused.trainer.buffer.users"], "the user's guest"
    assert digest("u4") in arrays["fused.trainer.buffer.users"]
    assert '"u3"' not in str(meta).replace("'", '"')
    letters_left = LetterIndex(client_options(on), on.prefix).of({"u3", "u4"})
    assert letters_left == [("u4", b"clicks-0-8")]

    loop = loop_on(on, tmp_path)
    with UpwellClient(on.address or "", on) as upwell:
        runs = threading.Thread(target=loop.run)
        runs.start()
        try:
            answer = next(upwell.confirmations("ann", timeout=20, from_beginning=True))
        finally:
            loop.stop()
            runs.join()
    assert (answer.user_id, answer.event_id, answer.remains) == ("ann", "f1", REMAINS)
    windows = answer.removed["examples"]
    assert 0 < windows <= len(removed)
    assert answer.removed == {
        "state": 1,
        "vector": 1,
        "letters": 1,
        "examples": windows,
        "checkpoints": 1,
    }
    assert len(checkpoint.every(LocalFolder(tmp_path))) == 1


def test_a_letter_whose_removal_was_not_delivered_is_not_confirmed_and_removed_by_the_next_start(
    on: KafkaSettings, tmp_path: Path
) -> None:
    send(
        on,
        (Topic.CONTROLS, 1, b"ann", orjson.dumps(REQUEST)),
        (Topic.DEAD_LETTERS, 0, b"clicks-0-7", orjson.dumps({"user": "u3"})),
        (Topic.EXAMPLES, 0, None, encode_erasure(Erasure("u3", "controls-1", 0, states=1))),
    )
    with (
        patch("stream.learn.topics.KafkaProducer", LosingLetters),
        pytest.raises(BrokerError, match="it took too long"),
    ):
        loop_on(on, tmp_path).run()
    assert checkpoint.every(LocalFolder(tmp_path)) == []
    with UpwellClient(on.address or "", on) as upwell:
        assert list(upwell.confirmations(timeout=0.5, from_beginning=True)) == []
        loop = loop_on(on, tmp_path)
        runs = threading.Thread(target=loop.run)
        runs.start()
        try:
            answer = next(upwell.confirmations("ann", timeout=20, from_beginning=True))
        finally:
            loop.stop()
            runs.join()
    assert answer.removed["letters"] == 1
    assert LetterIndex(client_options(on), on.prefix).of({"u3"}) == []


def test_a_start_sweeps_what_a_kill_left_of_checkpoints(on: KafkaSettings, tmp_path: Path) -> None:
    saved = checkpoint.save_checkpoint(
        LocalFolder(tmp_path), {}, {"stands": "in for one with the user"}
    )
    (tmp_path / saved.name).unlink()
    loop = loop_on(on, tmp_path)
    loop.stop()
    loop.run()
    assert list(tmp_path.glob("*.safetensors")) == []


def test_a_request_is_read_where_it_stands_also_if_it_was_sent_on(on: KafkaSettings) -> None:
    other = REQUEST | {"event_id": "f2", "user_id": "bob"}
    send(
        on,
        (Topic.CONTROLS, 0, b"ann", orjson.dumps(REQUEST)),
        (Topic.CONTROLS, 0, b"bob", orjson.dumps(other)),
        (Topic.REROUTED, 1, b"bob", encode_rerouted(Topic.CONTROLS, orjson.dumps(other))),
    )
    found = [
        request_at(client_options(on), on.prefix, Unconfirmed(*place, {}), NOW_MS)
        for place in (("controls-0", 1), ("rerouted-1", 0))
    ]
    assert [one.user_id for one in found if one is not None] == ["bob", "bob"]
    nowhere = Unconfirmed("controls-0", 2, {})
    assert request_at(client_options(on), on.prefix, nowhere, NOW_MS) is None


def test_what_remains_says_until_when_where_a_learner_begins_afresh() -> None:
    assert remains(0) == REMAINS
    changed = [one for one in remains(3) if one not in REMAINS]
    assert len(remains(3)) == len(REMAINS)
    assert [("UPWELL_RELEARN is 3" in one, "weights and counts" in one) for one in changed] == [
        (True, True)
    ]
