"""Whether a broker that answers also works: a real record on a topic of our own is made, produced,
consumed, committed and deleted again, and what failed is named with what to mend.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import (
    AuthorizationError,
    InvalidReplicationFactorError,
    KafkaError,
    KafkaTimeoutError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
)
from kafka.structs import OffsetAndMetadata

from upwell.errors import BrokerError

__all__ = ["round_trip"]

STEP_MS = 5_000
"""Of each of five steps: with the broker's other checks less than 30 s in all."""
MAX_REPLICAS = 3
RECORD = b"upwell doctor"
POLICY = "a policy of the cluster may not allow it"


def round_trip(client: Mapping[str, Any], prefix: str) -> str:
    """What was done. Raises `BrokerError` that names the step that failed, and why."""
    partition = TopicPartition(f"{prefix}doctor-{uuid.uuid4().hex[:8]}", 0)
    admin = KafkaAdminClient(**client, request_timeout_ms=STEP_MS)
    try:
        try:
            brokers = _make(admin, partition.topic)
        except AuthorizationError:
            return "not tried: it needs the rights Create and Delete on a topic of the doctor's own"
        try:
            _produce(client, partition)
            _consume(client, partition)
            _commit(client, partition, f"{prefix}doctor", brokers)
        except BaseException:
            with suppress(KafkaError):  # the first failure is the one to be told
                admin.delete_topics([partition.topic], timeout_ms=STEP_MS)
            raise
        with _step("deleted", "may this client delete its topics?"):
            admin.delete_topics([partition.topic], timeout_ms=STEP_MS)
    finally:
        admin.close()
    return "a record was produced, consumed, committed and deleted"


def _make(admin: KafkaAdminClient, topic: str) -> int:
    """How many brokers there are."""
    brokers = len(admin.describe_cluster()["brokers"])
    new = NewTopic(topic, num_partitions=1, replication_factor=min(brokers, MAX_REPLICAS))
    try:
        admin.create_topics([new], timeout_ms=STEP_MS)
        admin.wait_for_topics([topic])
    except AuthorizationError:
        raise
    except InvalidReplicationFactorError as exc:
        raise _failed("made", exc, "are all brokers up?") from exc
    except KafkaError as exc:
        raise _failed("made", exc, POLICY) from exc
    return brokers


def _produce(client: Mapping[str, Any], partition: TopicPartition) -> None:
    limits = {"max_block_ms": STEP_MS, "request_timeout_ms": STEP_MS - 1_000}
    why = "is its leader up?"
    with (
        _step("produced", why),
        KafkaProducer(
            acks="all",
            retries=0,
            enable_idempotence=False,
            delivery_timeout_ms=STEP_MS,
            **limits,
            **client,
        ) as producer,
    ):
        sent = producer.send(partition.topic, RECORD, partition=partition.partition)
        sent.get(timeout=STEP_MS / 1000)


def _consume(client: Mapping[str, Any], partition: TopicPartition) -> None:
    consumer = KafkaConsumer(
        isolation_level="read_committed", group_id=None, request_timeout_ms=STEP_MS, **client
    )
    try:
        with _step("consumed", "does another client see the topic?"):
            consumer.assign([partition])
            consumer.seek(partition, 0)
            found = consumer.poll(timeout_ms=STEP_MS).get(partition, ())
            if [one.value for one in found] != [RECORD]:
                raise KafkaTimeoutError(f"{len(found)} records came within {STEP_MS // 1000} s")
    finally:
        consumer.close()


def _commit(client: Mapping[str, Any], partition: TopicPartition, group: str, brokers: int) -> None:
    why = (
        "the cluster has no coordinator for groups; is offsets.topic.replication.factor of the "
        f"brokers above their number ({brokers}), or min.insync.replicas above that of "
        "__consumer_offsets' replicas?"
    )
    consumer = KafkaConsumer(
        isolation_level="read_committed", group_id=group, enable_auto_commit=False, **client
    )
    try:
        with _step("committed", why):
            consumer.assign([partition])
            consumer.commit({partition: OffsetAndMetadata(1, "", -1)}, timeout_ms=STEP_MS)
    finally:
        consumer.close(timeout_ms=0)


@contextmanager
def _step(done: str, why: str) -> Iterator[None]:
    try:
        yield
    except (NotEnoughReplicasError, NotEnoughReplicasAfterAppendError) as exc:
        few = "min.insync.replicas is above the number of replicas in sync: set it lower, or start"
        raise _failed(done, exc, f"{few} more brokers") from exc
    except AuthorizationError as exc:
        raise _failed(done, exc, "this client may not: docs/security.md lists the rights") from exc
    except KafkaError as exc:
        raise _failed(done, exc, why) from exc


def _failed(done: str, exc: KafkaError, why: str) -> BrokerError:
    return BrokerError(
        f"the broker answers, but a record cannot be {done} ({type(exc).__name__}): {why}"
    )
