"""The topic `encoders`, read whole and written to. It is short, and never cut off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.encoders.lineage import Lineage, Said
from stream.broker.feeds import read_partition
from stream.broker.incarnations import incarnations_of
from stream.broker.topics import no_broker
from upwell.events import Topic

__all__ = ["read_lineage", "say"]

SEND_TIMEOUT_S = 30.0


def read_lineage(client: Mapping[str, Any], prefix: str) -> Lineage:
    """As it stands now; empty where the topic was not made yet. Raises `BrokerError`."""
    try:
        if not incarnations_of(client, prefix, [Topic.ENCODERS]):
            return Lineage()
        records = read_partition(client, TopicPartition(prefix + Topic.ENCODERS, 0), 0)
        return Lineage.of(Said.read(record.value) for record in records)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc


def say(client: Mapping[str, Any], prefix: str, said: Said) -> None:
    """Returns when all replicas have it. Raises `BrokerError`."""
    try:
        with KafkaProducer(acks="all", **client) as producer:
            sent = producer.send(prefix + Topic.ENCODERS, value=said.value(), partition=0)
            sent.get(timeout=SEND_TIMEOUT_S)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
