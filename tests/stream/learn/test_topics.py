"""What learn reads `examples` with and writes its records with, on real Kafka."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Any

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from learner.release.guard import Guard
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.broker.topics import ensure_topics
from stream.chain.publish import Outgoing
from stream.learn.lock import LearnerLock
from stream.learn.topics import Sender, examples_consumer, figures_record
from tests.learner.training.small import DIMENSION, SETTINGS, log
from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.settings import KafkaSettings


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    found = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 2, found)
    return found


def test_what_is_sent_has_its_offset_and_what_is_cut_off_is_gone(
    client: dict[str, Any], prefix: str
) -> None:
    lock, shown = LearnerLock(client, prefix, "one"), list[bytes]()
    try:
        lock.take()
        with closing(Sender(client, prefix, lock, shown.append)) as sender:
            sender.confirm()
            offsets = [sender.send(Outgoing(Topic.MODELS, b"k", value)) for value in (b"1", b"2")]
            sender.truncate(offsets[1])
            sender.send(Outgoing(Topic.METRICS, b"learn", b"figures"))
    finally:
        lock.release()
    models = TopicPartition(prefix + Topic.MODELS, 0)
    consumer = KafkaConsumer(**client)
    try:
        starts, ends = consumer.beginning_offsets([models]), consumer.end_offsets([models])
    finally:
        consumer.close()
    assert (offsets, starts[models], ends[models]) == ([0, 1], 1, 2)
    assert shown == [b"figures"], "what goes to `metrics`, and nothing else, is shown"


def test_who_has_lost_the_lock_is_told_before_it_sends(client: dict[str, Any], prefix: str) -> None:
    gone, back = (LearnerLock(client, prefix, "same") for _ in range(2))
    try:
        gone.take()
        with closing(Sender(client, prefix, gone, lambda _: None)) as sender:
            back.take()
            with pytest.raises(BrokerError, match="the lock"):
                sender.confirm()
    finally:
        gone.release()
        back.release()


def test_examples_are_read_on_from_the_positions_and_removed_ones_are_said(
    client: dict[str, Any], prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    topic = prefix + Topic.EXAMPLES
    partitions = len(partitions_of(client, topic))
    with KafkaProducer(acks="all", **client) as producer:
        for number in range(partitions):
            for value in (b"0", b"1", b"2"):
                producer.send(topic, value=value, partition=number)
    admin = KafkaAdminClient(**client)
    admin.delete_records({TopicPartition(topic, 0): 2})
    admin.close()
    caplog.set_level(logging.WARNING, "upwell.retention")
    consumer = examples_consumer(client, prefix, {0: 1})
    try:
        places = {number: consumer.position(TopicPartition(topic, number)) for number in (0, 1)}
    finally:
        consumer.close()
    assert places == {0: 2, 1: 0}
    assert f"1 records of {topic}[0]" in caplog.text


def test_the_figures_say_who_speaks_and_how_far_it_has_read() -> None:
    learner = Learner(SETTINGS, DIMENSION, 7)
    learner.learn(log(20)[0])
    promotion = Promotion(learner, Guard())
    learner.share = 0.5
    record = figures_record(
        learner,
        promotion,
        5,
        learned=20,
        waiting=9,
        positions={0: 3},
        topic_id="t",
        engine="host-1",
    )
    assert (record.topic, record.key) == (Topic.METRICS, b"learn")
    said = orjson.loads(record.value)
    assert said["role"] == said["instance"] == "learn"
    assert (said["examples"], said["positions"], said["at"]) == (20, {"0": 3}, 5)
    assert (said["topic_id"], said["engine"]) == ("t", "host-1")
    assert (said["waiting"], said["share"]) == (9, 0.5)
    assert said["tests"] == {"drawn": 20, "taken": 20}
    assert said["model_version"] == promotion.version
    assert said["ruled"] is None
    assert said["figures"] == orjson.loads(
        orjson.dumps(learner.figures.report(), option=orjson.OPT_SERIALIZE_NUMPY)
    )


def partitions_of(client: dict[str, Any], topic: str) -> set[int]:
    consumer = KafkaConsumer(**client)
    try:
        return set(consumer.partitions_for_topic(topic) or ())
    finally:
        consumer.close()
