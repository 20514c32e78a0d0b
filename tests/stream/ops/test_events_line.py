"""The doctor's line on the events, on a real broker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition

from stream.broker.group import rewind
from stream.broker.incarnations import begin_made_anew, incarnations_of
from stream.broker.lag import INPUT_TOPICS
from stream.broker.topics import ensure_topics
from stream.ops.events_line import events_line
from tests.topics import delete_topics
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings, Settings

RECORDS = 5


@pytest.fixture
def settings(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    return Settings(kafka=KafkaSettings(address=kafka, prefix=prefix), data=tmp_path)


@pytest.fixture
def made(settings: Settings) -> Settings:
    """The topics are there, serve has read nothing of its clicks yet, and some wait."""
    own = client_options(settings.kafka)
    ensure_topics(settings.kafka.prefix, 1, own)
    rewind(own, settings.kafka.prefix, {clicks(settings): 0})
    producer = Producer({"bootstrap.servers": settings.kafka.address or ""})
    for _ in range(RECORDS):
        producer.produce(clicks(settings).topic, b"{}", partition=0)
    assert producer.flush(30) == 0
    return settings


def clicks(settings: Settings) -> TopicPartition:
    return TopicPartition(settings.kafka.prefix + Topic.CLICKS, 0)


def test_before_the_first_start_there_is_nothing_to_say(settings: Settings) -> None:
    assert events_line(settings).startswith("their topics are not all there yet")


def test_what_waits_is_counted(made: Settings) -> None:
    assert events_line(made) == f"{RECORDS} wait for serve"


def test_what_was_removed_unread_is_said_with_its_number(made: Settings) -> None:
    admin = KafkaAdminClient(**client_options(made.kafka))
    admin.delete_records({clicks(made): 3})
    admin.close()
    found = events_line(made)
    assert found.startswith("warning: up to 3 were removed, by retention or by hand")
    assert found.endswith("2 wait for serve")


def test_a_topic_made_anew_is_named(made: Settings) -> None:
    own, prefix = client_options(made.kafka), made.kafka.prefix
    topics = (*INPUT_TOPICS, Topic.CATALOGUE)
    begin_made_anew(own, prefix, incarnations_of(own, prefix, topics), made.data)
    assert "made anew" not in events_line(made)
    delete_topics(own, [prefix + Topic.REVIEWS])
    ensure_topics(prefix, 1, own)
    assert f"warning: {prefix}reviews made anew since serve's last start" in events_line(made)
    assert "made anew" not in events_line(replace(made, data=made.data / "another"))
