"""Both ends on real Kafka, in one process: an encoder that asks, lanes that answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest
from kafka import KafkaProducer

from stream.broker.topics import ensure_topics
from stream.encode.asking import AskingEncoder
from stream.encode.lane import Lane
from stream.encode.posting import KafkaPost
from stream.encode.topics import ENCODE_TOPICS, EncodeTopic
from tests.stream.encode.posts import ENCODER, One, asking
from tests.topics import delete_topics
from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.settings import KafkaSettings

PARTITIONS = 4
TEXTS = [f"text {number}" for number in range(300)]


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    options = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, PARTITIONS, options, ENCODE_TOPICS)
    return options


@contextmanager
def asks(client: dict[str, Any], prefix: str) -> Iterator[AskingEncoder]:
    with closing(asking()) as encoder:
        encoder.connect(KafkaPost(client, prefix, 3, encoder.take))
        yield encoder


@contextmanager
def answers(client: dict[str, Any], prefix: str, topic: EncodeTopic) -> Iterator[Lane]:
    lane = Lane(topic, One(), client, prefix)
    thread = threading.Thread(target=lane.run)
    thread.start()
    try:
        yield lane
    finally:
        lane.stop()
        thread.join()


def test_what_is_asked_before_anybody_answers_is_answered_and_junk_does_no_harm(
    client: dict[str, Any], prefix: str
) -> None:
    with closing(KafkaProducer(acks="all", **client)) as producer:
        for topic in EncodeTopic:
            for number in range(PARTITIONS):
                producer.send(prefix + topic, value=b"junk", partition=number).get(timeout=30)
    found: dict[str, Any] = {}
    with asks(client, prefix) as encoder:

        def ask() -> None:
            found["users"] = encoder.encode(TEXTS)

        def ask_in_bulk() -> None:
            found["items"] = encoder.in_bulk().encode(TEXTS[:10])

        threads = [threading.Thread(target=one) for one in (ask, ask_in_bulk)]
        for one in threads:
            one.start()
        with (
            answers(client, prefix, EncodeTopic.TEXTS) as users,
            answers(client, prefix, EncodeTopic.ITEM_TEXTS) as items,
        ):
            for one in threads:
                one.join()
            np.testing.assert_array_equal(found["users"], ENCODER.encode(TEXTS))
            np.testing.assert_array_equal(found["items"], ENCODER.encode(TEXTS[:10]))
        assert users.counts == {"texts": len(TEXTS), "unreadable": PARTITIONS}
        assert items.counts == {"texts": 10, "unreadable": PARTITIONS}
        with answers(client, prefix, EncodeTopic.TEXTS) as again:
            encoder.encode(["one more"])
        assert again.counts == {"texts": 1}, "what was answered was committed"


def test_topics_that_are_not_there_are_named(client: dict[str, Any], prefix: str) -> None:
    delete_topics(client, [prefix + one for one in EncodeTopic])
    with pytest.raises(BrokerError, match=f"topic {prefix}vectors does not exist"):
        KafkaPost(client, prefix, 3, lambda _: None)
