"""The topic `erasures`, compacted and never cut off: serve writes an entry with each erasure before
it acknowledges the request. It is read whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.erasures.ledger import Ledger, newest
from stream.broker.feeds import read_partition
from stream.broker.incarnations import incarnations_of
from stream.broker.topics import no_broker
from stream.chain.effects import Forgotten
from stream.chain.fences import Fence, fences_carried_out
from stream.chain.wire import decode_forgotten, encode_forgotten
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

__all__ = ["add_to_ledger", "fences_of_ledger", "read_ledger"]

SEND_TIMEOUT_S = 60.0


def read_ledger(client: Mapping[str, Any], prefix: str) -> Ledger | None:
    """As it stands now; None where there is no such topic. Raises `BrokerError`."""
    try:
        if not incarnations_of(client, prefix, [Topic.ERASURES]):
            return None
        records = read_partition(client, TopicPartition(prefix + Topic.ERASURES, 0), 0)
        return newest(decode_forgotten(one.value) for one in records if one.value is not None)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc


def fences_of_ledger(kafka: KafkaSettings) -> dict[str, Fence]:
    """What a starting worker is told: what is older than these has no effect. Raises
    `BrokerError`.
    """
    return fences_carried_out((read_ledger(client_options(kafka), kafka.prefix) or {}).values())


def add_to_ledger(client: Mapping[str, Any], prefix: str, entries: Collection[Forgotten]) -> None:
    """Returns when all replicas have them. Raises `BrokerError`."""
    if not entries:
        return
    topic = prefix + Topic.ERASURES
    try:
        with KafkaProducer(acks="all", **client) as producer:
            sent = [
                producer.send(
                    topic, key=one.user.encode(), value=encode_forgotten(one), partition=0
                )
                for one in entries
            ]
            for delivery in sent:
                delivery.get(timeout=SEND_TIMEOUT_S)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
