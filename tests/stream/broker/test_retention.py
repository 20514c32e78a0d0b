"""How far back the input topics reach, on the real broker."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from stream.broker.retention import oldest_record_ms, warn_removed
from stream.broker.topics import ensure_topics
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

PARTITIONS = 2


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    options = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, PARTITIONS, options)
    return options


def test_the_oldest_record_of_all_input_topics_counts_until_its_retention_takes_it(
    client: dict[str, Any], prefix: str
) -> None:
    assert oldest_record_ms(client, prefix) is None
    places = [(Topic.METRICS, 0), (Topic.CONTROLS, 1), (Topic.CLICKS, 0), (Topic.CLICKS, 1)]
    places += [(Topic.CONTROLS, 1)]
    with KafkaProducer(**client) as producer:
        appended = [
            producer.send(prefix + topic, value=b"x", partition=partition).get(10).timestamp
            for topic, partition in places
        ]
    assert oldest_record_ms(client, prefix) == appended[1]  # `metrics` is no input
    admin = KafkaAdminClient(**client)
    admin.delete_records({TopicPartition(prefix + Topic.CONTROLS, 1): 1})
    assert oldest_record_ms(client, prefix) == appended[2]
    admin.delete_records({TopicPartition(prefix + Topic.CLICKS, number): 1 for number in (0, 1)})
    assert oldest_record_ms(client, prefix) == appended[4]
    admin.close()


def test_what_was_removed_unread_is_said_once_with_the_number_of_each_partition(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        warn_removed({})
        assert caplog.text == ""
        warn_removed({TopicPartition("clicks", 1): 7, TopicPartition("clicks", 0): 10})
    (said,) = caplog.messages
    assert "up to 10 records of clicks[0], 7 records of clicks[1];" in said
