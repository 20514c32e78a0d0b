"""The topics of a board (tests/stream/chain/audit/desk.py) on a real broker."""

from __future__ import annotations

from typing import Any

from kafka import KafkaProducer

from stream.broker.topics import ensure_topics
from stream.chain.overrides.record import encode_kept
from tests.stream.chain.audit.desk import PARTITIONS, Board
from upwell.events import Topic

__all__ = ["publish"]


def publish(board: Board, client: dict[str, Any], prefix: str) -> None:
    """All that the board's desks published, and a tombstone."""
    ensure_topics(prefix, PARTITIONS, client)
    with KafkaProducer(acks="all", **client) as producer:
        for partition, value in board.audit:
            producer.send(prefix + Topic.AUDIT, value=value, partition=partition)
        for partition, kept in board.overrides.items():
            for override_id, one in kept.items():
                key = override_id.encode()
                producer.send(prefix + Topic.OVERRIDES, encode_kept(one), key, None, partition)
            producer.send(prefix + Topic.OVERRIDES, None, b"gone", None, partition)
