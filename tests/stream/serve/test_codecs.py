"""Records in every codec of Kafka, from a librdkafka client and by a topic's own setting, through
both readers: Faust's client and kafka-python.
"""

from __future__ import annotations

import asyncio
from contextlib import closing

import aiokafka.codec
import kafka.codec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from stream.broker.feeds import Broadcast
from stream.serve.codecs import CODECS, check_codecs
from upwell.errors import BrokerError

VALUES = [f"value {number} ".encode() * 40 for number in range(100)] + [b"a large one " * 200_000]
"""The last is beyond the buffers in which decoders grow their output."""


def made_topic(kafka: str, name: str, compression: str) -> None:
    settings = {"compression.type": compression, "max.message.bytes": str(8 << 20)}
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        admin.create_topics([NewTopic(name, 1, 1, topic_configs=settings)], wait_for_metadata=True)
    finally:
        admin.close()


def produce(kafka: str, topic: str, codec: str) -> None:
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "compression.type": codec,
            "message.max.bytes": 8 << 20,
            "linger.ms": 50,
        }
    )
    for value in VALUES:
        producer.produce(topic, value, partition=0)
    assert producer.flush(30) == 0


def read_by_kafka_python(kafka: str, topic: str) -> list[bytes | None]:
    feed = Broadcast(topic, {"bootstrap_servers": kafka})
    feed.start()
    try:
        return [record.value for record in feed.drain()]
    finally:
        feed.stop()


async def read_by_aiokafka(kafka: str, topic: str) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await consumer.getone()).value for _ in VALUES]
    finally:
        await consumer.stop()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("chosen_by", ["app", "topic"])
def test_every_codec_is_read_by_both_clients(
    kafka: str, prefix: str, codec: str, chosen_by: str
) -> None:
    topic = f"{prefix}{codec}"
    made_topic(kafka, topic, codec if chosen_by == "topic" else "producer")
    produce(kafka, topic, codec if chosen_by == "app" else "none")
    assert read_by_kafka_python(kafka, topic) == VALUES
    # not asyncio.run, which drops the loop that Faust took when it was imported, unclosed
    with closing(asyncio.new_event_loop()) as loop:
        assert loop.run_until_complete(read_by_aiokafka(kafka, topic)) == VALUES


def test_a_codec_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_codecs()
    monkeypatch.setattr(kafka.codec, "zstd", None)
    monkeypatch.setattr(aiokafka.codec, "cramjam", None)
    with pytest.raises(
        BrokerError,
        match=r"aiokafka lacks snappy, aiokafka lacks lz4, .* kafka-python lacks zstd\)",
    ):
        check_codecs()
