"""Which partition a key's records are on. The engine and apps' clients agree on it: murmur2, as in
Kafka's own clients.
"""

from __future__ import annotations

from kafka.partitioner.default import murmur2

__all__ = ["partition_of"]


def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's own clients put a record of this key on a topic of so many partitions."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
