"""An app that produces in transactions, on a real engine: what it committed has its effect once,
what it aborted has none, and what nobody is given does not look like work that waits; nor does what
was removed before it was read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition

from stream.broker.lag import Backlog
from stream.serve.watchdog import Stall
from tests.e2e.engine import Engine
from upwell.client import UpwellClient
from upwell.events import Topic
from upwell.settings import KafkaSettings

ONE_PARTITION = {"UPWELL_PARTITIONS": "1"}
ABORTED = range(100, 110)


def transaction(producer: Producer, topic: str, numbers: Iterable[int], commit: bool) -> None:
    producer.begin_transaction()
    for number in numbers:
        click = {"event_id": f"e{number}", "user_id": "ann", "item_id": "i0", "action": "click"}
        value = json.dumps({**click, "ts": int(time.time() * 1000)})
        producer.produce(topic, value.encode(), key=b"ann", partition=0)
    assert producer.flush(30) == 0
    if commit:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def assert_no_stall(engine: Engine, partition: TopicPartition) -> None:
    stall, own = Stall(60.0), {tuple(partition)}
    assert [stall.look(60.0 * at, engine.lag.backlog(own)) for at in range(4)] == [None] * 4


@pytest.mark.timeout(300)
def test_what_was_committed_counts_once_and_silence_after_it_is_no_stall(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    clicks = TopicPartition(prefix + Topic.CLICKS, 0)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix})
    producer.init_transactions(60)
    with Engine(kafka, prefix, tmp_path, **ONE_PARTITION) as engine:
        with UpwellClient(kafka, KafkaSettings(prefix=prefix)) as upwell:
            upwell.item("i0", "a title")
        # the record at offset 0, then offsets that nobody is given: where Faust stood still
        transaction(producer, clicks.topic, [0], commit=True)
        engine.wait(lambda: engine.lag.acknowledged()[clicks] == 1, "the first click")
        transaction(producer, clicks.topic, ABORTED, commit=False)
        transaction(producer, clicks.topic, range(1, 10), commit=True)
        transaction(producer, clicks.topic, ABORTED, commit=False)
        engine.wait(lambda: engine.lag.acknowledged()[clicks] == 22, "the last click")
        engine.wait(engine.settled, "silence")
        assert engine.lag.backlog({tuple(clicks)}) == Backlog(0, 22, {"clicks": 0})
        assert_no_stall(engine, clicks)
        engine.wait(
            lambda: engine.metrics.newest("serve")["counts"].get("events") == 10, "the figures"
        )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("start", "left"), [(8, 2), pytest.param(22, 0, marks=pytest.mark.slow)])
def test_what_was_removed_unread_is_said_once_and_what_came_after_it_is_served(
    kafka: str, prefix: str, tmp_path: Path, start: int, left: int
) -> None:
    clicks = TopicPartition(prefix + Topic.CLICKS, 0)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix})
    producer.init_transactions(60)
    with Engine(kafka, prefix, tmp_path, **ONE_PARTITION) as engine:
        with UpwellClient(kafka, KafkaSettings(prefix=prefix)) as upwell:
            upwell.item("i0", "a title")
        transaction(producer, clicks.topic, range(2), commit=True)
        engine.wait(lambda: engine.lag.acknowledged()[clicks] == 2, "the first clicks")
        engine.wait(engine.settled, "silence")
    transaction(producer, clicks.topic, range(2, 9), commit=True)  # at 3 to 9
    transaction(producer, clicks.topic, ABORTED, commit=False)
    with closing(KafkaAdminClient(**engine.client)) as admin:
        admin.delete_records({clicks: start})
    with Engine(kafka, prefix, tmp_path, **ONE_PARTITION) as engine:
        transaction(producer, clicks.topic, range(9, 11), commit=True)  # at 22 and 23
        engine.wait(
            lambda: engine.metrics.newest("serve")["counts"].get("events") == left + 2, "the rest"
        )
        engine.wait(engine.settled, "silence")
        assert engine.lag.acknowledged()[clicks] == 24
        assert_no_stall(engine, clicks)
        assert engine.metrics.newest("serve")["counts"]["removed_unread"] == start - 2
    said = " ".join((tmp_path / "logs" / "serve.log").read_text().split())  # of any width
    assert said.count(f"up to {start - 2} records of {clicks.topic}[0]") == 1
    assert said.count("removed before they were read") == 1
