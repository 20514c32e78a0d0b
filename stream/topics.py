"""The topics of version 1: what each is for, how it is kept, and how they are made on a broker.

All topics keyed by user or item have the same number of partitions, so that one worker owns the same numbers of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.partitioner.default import murmur2

from upwell.errors import BrokerError
from upwell.events import Topic

__all__ = ["TOPICS", "TopicSpec", "ensure_topics", "partition_of"]

HOUR_MS = 3_600_000
MAX_MODEL_BYTES = 32 << 20
MAX_REPLICAS = 3


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """single: one partition, whatever the settings say. config: Kafka's own names of topic settings."""

    topic: Topic
    single: bool = False
    config: Mapping[str, str] | None = None


TOPICS = (
    TopicSpec(Topic.ITEMS),
    TopicSpec(Topic.CLICKS),
    TopicSpec(Topic.REVIEWS),
    TopicSpec(Topic.QUERIES),
    TopicSpec(Topic.IMPRESSIONS),
    TopicSpec(Topic.REQUESTS),
    TopicSpec(Topic.CONTROLS),
    TopicSpec(Topic.REROUTED, config={"retention.ms": str(HOUR_MS)}),
    TopicSpec(Topic.CATALOGUE, config={"cleanup.policy": "compact"}),
    TopicSpec(Topic.RECOMMENDATIONS),
    TopicSpec(Topic.DEAD_LETTERS, single=True),
    TopicSpec(Topic.EXAMPLES, config={"max.message.bytes": str(MAX_MODEL_BYTES)}),
    TopicSpec(Topic.MODELS, single=True, config={"retention.ms": "-1", "max.message.bytes": str(MAX_MODEL_BYTES)}),
    TopicSpec(Topic.METRICS, single=True, config={"retention.ms": str(HOUR_MS)}),
)


def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's own clients put a record of this key (murmur2, as in Java)."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def ensure_topics(prefix: str, partitions: int, client_options: Mapping[str, Any]) -> None:
    """Make what is missing; check what is there. Raises `BrokerError` when no broker answers or a topic has other partitions."""
    try:
        admin = KafkaAdminClient(**client_options)
    except KafkaError as exc:
        raise no_broker(client_options, exc) from exc
    try:
        existing = set(admin.list_topics())
        replicas = min(MAX_REPLICAS, len(admin.describe_cluster()["brokers"]))
        missing = [spec for spec in TOPICS if prefix + spec.topic not in existing]
        if missing:
            admin.create_topics([_new_topic(spec, prefix, partitions, replicas) for spec in missing])
            admin.wait_for_topics([prefix + spec.topic for spec in missing])
        _check(admin, prefix, partitions, existing)
    except TopicAlreadyExistsError:
        return  # another worker made them at the same time
    except KafkaError as exc:
        raise BrokerError(f"topics {prefix}*: the broker refused: {exc}; may this client create topics?") from exc
    finally:
        admin.close()


def no_broker(client_options: Mapping[str, Any], exc: BaseException) -> BrokerError:
    """The one line for a broker that does not answer."""
    address = client_options["bootstrap_servers"]
    return BrokerError(f"no Kafka broker answers at {address} ({type(exc).__name__}): start it, or set UPWELL_KAFKA to its host:port")


def _new_topic(spec: TopicSpec, prefix: str, partitions: int, replicas: int) -> NewTopic:
    config = {"message.timestamp.type": "LogAppendTime", **(spec.config or {})}
    return NewTopic(
        prefix + spec.topic,
        num_partitions=1 if spec.single else partitions,
        replication_factor=replicas,
        topic_configs=config,
    )


def _check(admin: KafkaAdminClient, prefix: str, partitions: int, existing: set[str]) -> None:
    names = {prefix + spec.topic: 1 if spec.single else partitions for spec in TOPICS if prefix + spec.topic in existing}
    for described in admin.describe_topics(list(names)) if names else ():
        found = len(described["partitions"])
        if found != names[described["name"]]:
            raise BrokerError(
                f"topic {described['name']} has {found} partitions, not {names[described['name']]}: "
                "set UPWELL_PARTITIONS to what it has, or use another UPWELL_PREFIX"
            )
