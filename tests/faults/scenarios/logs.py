"""What others do with the topics themselves, by a client other than Upwell's: transactions that are
aborted, codecs, records that are removed before they were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson
from confluent_kafka import Producer
from kafka import KafkaAdminClient

from stream.broker.lag import INPUT_TOPICS, Lag
from stream.replay.log import LogRecord
from stream.serve.codecs import CODECS
from tests.faults.scenarios.surroundings import Stage, parts
from upwell.system.clock import now_ms

__all__ = ["TRANSACTIONS", "aborted_transactions", "every_codec", "not_removed", "removed_unread"]

TRANSACTIONS = 6
"""Committed ones; after each one more is aborted."""
FLUSH_SECONDS = 60.0


def aborted_transactions(stage: Stage) -> list[float]:
    """Serve is killed while a transaction is open that will be committed, or one that will be
    aborted, in turns. Last of all comes what was aborted.
    """
    producer = _producer(stage, {"transactional.id": stage.engine.settings.kafka.prefix})
    producer.init_transactions(FLUSH_SECONDS)
    recoveries = []
    for number, part in enumerate(stage.parts(TRANSACTIONS)):
        killed_ms = _transact(stage, producer, part, kill=number % 2 == 0)
        producer.commit_transaction(FLUSH_SECONDS)
        if killed_ms:
            recoveries.append(stage.engine.recovery_seconds("serve", killed_ms))
        _transact(stage, producer, _otherwise_named(part), kill=number % 2 == 1)
        producer.abort_transaction(FLUSH_SECONDS)
    return recoveries


def _transact(
    stage: Stage, producer: Producer, records: Sequence[LogRecord], *, kill: bool
) -> int | None:
    """Left open, all of it on the broker; when serve was killed in the middle, UTC ms."""
    producer.begin_transaction()
    middle = len(records) // 2
    _send(stage, producer, records[:middle])
    killed_ms = None
    if kill:
        killed_ms = stage.engine.kill("serve-0")
        stage.engine.start("serve-0")
    _send(stage, producer, records[middle:])
    return killed_ms


def _otherwise_named(records: Sequence[LogRecord]) -> list[LogRecord]:
    """The same events as other ones, which would count."""
    values = [orjson.loads(one.value) for one in records]
    return [
        replace(one, value=orjson.dumps({**value, "event_id": f"aborted-{value['event_id']}"}))
        for one, value in zip(records, values, strict=True)
    ]


def removed_unread(stage: Stage) -> list[float]:
    """While no worker runs, the second third of the events is removed before they were read."""
    engine = stage.engine
    before, removed, after = stage.parts(3)
    engine.feed(before)
    engine.settle("the first third")
    engine.stop()
    engine.feed(removed)
    _remove_all(stage)
    engine.feed(after)
    started_ms = now_ms()
    for name in ("serve-0", "learn"):
        engine.start(name)
    recoveries = [engine.recovery_seconds("serve", started_ms)]
    said = (engine.settings.data / "logs" / "serve-0.log").read_text()
    assert said.count("removed before they were read") == 1
    return recoveries


def not_removed(events: Sequence[LogRecord]) -> list[LogRecord]:
    """Of the events of `removed_unread` those that were read."""
    before, _, after = parts(events, 3)
    return [*before, *after]


def _remove_all(stage: Stage) -> None:
    """Of the input topics, as retention would."""
    admin = KafkaAdminClient(**stage.engine.client)
    try:
        with Lag(stage.engine.client, stage.engine.settings.kafka.prefix) as lag:
            admin.delete_records(lag.ends(INPUT_TOPICS))
    finally:
        admin.close()


def every_codec(stage: Stage) -> list[float]:
    """The events in turns by each codec of Kafka."""
    for codec, part in zip(CODECS, stage.parts(len(CODECS)), strict=True):
        _send(stage, _producer(stage, {"compression.type": codec, "linger.ms": 50}), part)
    return []


def _producer(stage: Stage, more: dict[str, str | int]) -> Producer:
    """librdkafka's, with the partitioner of the other clients."""
    address = stage.engine.settings.kafka.address
    return Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", **more})


def _send(stage: Stage, producer: Producer, records: Iterable[LogRecord]) -> None:
    """Returns when the broker has them."""
    failed: list[object] = []
    for one in records:
        producer.produce(
            stage.engine.settings.kafka.prefix + one.topic,
            one.value,
            key=one.key,
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
    assert producer.flush(FLUSH_SECONDS) == 0
    assert not failed, failed
