"""Topics told apart by their ids on a real broker, and where a worker goes on after one was made
anew.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from stream.broker.incarnations import Incarnations, begin_made_anew, incarnations_of
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from tests.topics import delete_topics
from upwell.errors import BrokerError
from upwell.events import Topic

READ = (Topic.CLICKS, Topic.REVIEWS)


@pytest.fixture
def client(kafka: str, prefix: str) -> dict[str, Any]:
    found = {"bootstrap_servers": [kafka]}
    ensure_topics(prefix, 1, found)
    return found


def make_anew(client: dict[str, Any], prefix: str, topic: Topic) -> None:
    delete_topics(client, [prefix + topic])
    ensure_topics(prefix, 1, client)


def produce(kafka: str, topic: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for _ in range(count):
        producer.produce(topic, b"{}", partition=0)
    assert producer.flush(30) == 0


def commit(client: dict[str, Any], prefix: str, topic: Topic, offset: int) -> None:
    consumer = KafkaConsumer(group_id=prefix + "serve", enable_auto_commit=False, **client)
    place = TopicPartition(prefix + topic, 0)
    consumer.assign([place])
    consumer.commit({place: OffsetAndMetadata(offset, "", -1)})
    consumer.close()


def test_a_topic_made_anew_is_noticed_and_one_that_is_gone_is_said(
    client: dict[str, Any], prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = Incarnations(client, prefix, READ)
    assert all(len(one) == 8 for one in before.ids.values())
    assert before.changed() is None
    delete_topics(client, [prefix + Topic.CLICKS])
    with caplog.at_level(logging.WARNING):
        assert before.changed() is None
    assert f"topic {prefix}clicks is gone" in caplog.text
    with pytest.raises(BrokerError, match=f"topics {prefix}clicks do not exist"):
        Incarnations(client, prefix, READ)
    ensure_topics(prefix, 1, client)
    now = incarnations_of(client, prefix, READ)
    assert now[Topic.REVIEWS] == before.ids[Topic.REVIEWS]
    was, is_now = before.ids[Topic.CLICKS], now[Topic.CLICKS]
    assert before.changed() == f"topic {prefix}clicks was made anew ({was} is {is_now} now)"


def test_what_a_worker_commits_late_on_a_topic_made_anew_does_not_skip_its_events(
    kafka: str, client: dict[str, Any], prefix: str, tmp_path: Path
) -> None:
    begin_made_anew(client, prefix, incarnations_of(client, prefix, READ), tmp_path)
    for topic in READ:
        produce(kafka, prefix + topic, 5)
        commit(client, prefix, topic, 3)
    make_anew(client, prefix, Topic.CLICKS)
    produce(kafka, prefix + Topic.CLICKS, 4)
    commit(client, prefix, Topic.CLICKS, 3)  # as a worker does that has not noticed yet
    for _ in range(2):  # the second start finds nothing new
        begin_made_anew(client, prefix, incarnations_of(client, prefix, READ), tmp_path)
        with Lag(client, prefix) as lag:
            assert [lag.behind([topic]) for topic in READ] == [4, 2]
        commit(client, prefix, Topic.CLICKS, 0)


def test_items_are_read_again_for_a_catalogue_made_anew(
    kafka: str, client: dict[str, Any], prefix: str, tmp_path: Path
) -> None:
    read = (Topic.ITEMS, Topic.CLICKS, Topic.CATALOGUE)
    begin_made_anew(client, prefix, incarnations_of(client, prefix, read), tmp_path)
    for topic in (Topic.ITEMS, Topic.CLICKS):
        produce(kafka, prefix + topic, 5)
        commit(client, prefix, topic, 5)
    make_anew(client, prefix, Topic.CATALOGUE)
    begin_made_anew(client, prefix, incarnations_of(client, prefix, read), tmp_path)
    with Lag(client, prefix) as lag:
        assert [lag.behind([topic]) for topic in (Topic.ITEMS, Topic.CLICKS)] == [5, 0]


def test_a_data_folder_of_an_older_version_goes_on_where_it_was(
    kafka: str, client: dict[str, Any], prefix: str, tmp_path: Path
) -> None:
    produce(kafka, prefix + Topic.CLICKS, 5)
    commit(client, prefix, Topic.CLICKS, 3)
    begin_made_anew(client, prefix, incarnations_of(client, prefix, READ), tmp_path)
    with Lag(client, prefix) as lag:
        assert lag.behind([Topic.CLICKS]) == 2
