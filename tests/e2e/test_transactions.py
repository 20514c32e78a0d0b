"""An app that produces in transactions, on a real engine: what it committed has its effect once,
what it aborted has none, and what nobody is given does not look like work that waits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import TopicPartition

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
        stall = Stall(60.0)
        own = {(clicks.topic, 0)}
        assert engine.lag.backlog(own) == Backlog(0, 22)
        assert [stall.look(60.0 * at, engine.lag.backlog(own)) for at in range(4)] == [None] * 4
        engine.wait(
            lambda: engine.metrics.newest("serve")["counts"].get("events") == 10, "the figures"
        )
