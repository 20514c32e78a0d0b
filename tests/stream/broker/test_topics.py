"""Topics on a real broker: made with their partitions and settings, made once, checked; and keys
land where Kafka's clients put them.
"""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.partitioner.default import DefaultPartitioner

from stream.broker.topics import TOPICS, check_topics, ensure_topics, partition_of
from tests.topics import set_topics, wait_until_shown
from upwell.errors import BrokerError
from upwell.events import Topic

SINGLE = {
    *(Topic.DEAD_LETTERS, Topic.ENCODERS, Topic.ERASURES),
    *(Topic.KEYS, Topic.MODELS, Topic.METRICS, Topic.QUARANTINE),
    *(Topic.DEAD_LETTERS, Topic.ENCODERS, Topic.KEYS, Topic.MODELS, Topic.METRICS, Topic.RULES),
}
HOUR = {"retention.ms": "3600000", "segment.ms": "600000"}
DERIVED = {"max.message.bytes": str(4 << 20)}
KEPT = {
    Topic.REROUTED: DERIVED,
    Topic.CATALOGUE: {"cleanup.policy": "compact"} | DERIVED,
    Topic.DEAD_LETTERS: {"cleanup.policy": "compact,delete"} | DERIVED,
    Topic.EXAMPLES: {"max.message.bytes": str(32 << 20)},
    Topic.KEYS: {"retention.ms": "-1"},
    Topic.ENCODERS: {"retention.ms": "-1"},
    Topic.ERASURES: {"cleanup.policy": "compact"},
    Topic.OVERRIDES: {"cleanup.policy": "compact"},
    Topic.AUDIT: {"retention.ms": "-1"},
    Topic.MODELS: {"retention.ms": "-1", "max.message.bytes": str(32 << 20)},
    Topic.METRICS: HOUR,
    Topic.RULES: {"cleanup.policy": "compact"},
    Topic.QUARANTINE: {"cleanup.policy": "compact"},
}


@contextmanager
def admin_of(kafka: str) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        yield admin
    finally:
        admin.close()


def partitions(kafka: str, prefix: str) -> dict[str, int]:
    """By topic, without the prefix."""
    with admin_of(kafka) as admin:
        described = admin.describe_topics(
            [name for name in admin.list_topics() if name.startswith(prefix)]
        )
    return {one["name"].removeprefix(prefix): len(one["partitions"]) for one in described}


def configs(kafka: str, prefix: str) -> dict[str, dict[str, Any]]:
    """What differs from the broker's defaults, by topic without the prefix."""
    with admin_of(kafka) as admin:
        asked = [ConfigResource(ConfigResourceType.TOPIC, prefix + topic) for topic in Topic]
        found = admin.describe_configs(asked)["topic"]
    return {
        name.removeprefix(prefix): {key: one["value"] for key, one in values.items()}
        for name, values in found.items()
    }


def test_every_topic_of_the_enumeration_has_one_spec() -> None:
    assert sorted(spec.topic for spec in TOPICS) == sorted(Topic)


def test_all_topics_are_made_with_their_partitions_and_settings(kafka: str, prefix: str) -> None:
    ensure_topics(prefix, 3, {"bootstrap_servers": kafka})
    assert partitions(kafka, prefix) == {topic: 1 if topic in SINGLE else 3 for topic in Topic}
    stamped = {"message.timestamp.type": "LogAppendTime"}
    assert configs(kafka, prefix) == {topic: stamped | KEPT.get(topic, {}) for topic in Topic}


def test_a_second_call_changes_nothing_and_makes_what_is_missing(kafka: str, prefix: str) -> None:
    with admin_of(kafka) as admin:
        admin.create_topics(
            [NewTopic(prefix + Topic.CLICKS, num_partitions=2, replication_factor=1)]
        )  # perhaps not shown yet
    for _ in range(2):
        ensure_topics(prefix, 2, {"bootstrap_servers": kafka})
    assert partitions(kafka, prefix) == {topic: 1 if topic in SINGLE else 2 for topic in Topic}


def test_workers_that_start_together_agree(kafka: str, prefix: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [
            pool.submit(ensure_topics, prefix, 2, {"bootstrap_servers": kafka}) for _ in range(4)
        ]:
            done.result()
    assert partitions(kafka, prefix) == {topic: 1 if topic in SINGLE else 2 for topic in Topic}


def test_what_upwell_needs_of_a_topic_that_is_there_is_set(kafka: str, prefix: str) -> None:
    made = {
        Topic.CATALOGUE: {"max.message.bytes": "1000"},
        Topic.EXAMPLES: {"max.message.bytes": str(64 << 20), "retention.ms": "1000"},
        Topic.METRICS: {"message.timestamp.type": "LogAppendTime", "retention.ms": "1000"},
    }
    with admin_of(kafka) as admin:
        for topic, config in made.items():
            count = 1 if topic in SINGLE else 2
            one = NewTopic(
                prefix + topic, num_partitions=count, replication_factor=1, topic_configs=config
            )
            admin.create_topics([one], wait_for_metadata=True)
    ensure_topics(prefix, 2, {"bootstrap_servers": kafka})
    stamped = {"message.timestamp.type": "LogAppendTime"}
    needed = {
        Topic.CATALOGUE: stamped | KEPT[Topic.CATALOGUE],
        Topic.EXAMPLES: stamped,
    }
    wait_until_shown({"bootstrap_servers": kafka}, {prefix + one: it for one, it in needed.items()})
    found = configs(kafka, prefix)
    assert found[Topic.CATALOGUE] == needed[Topic.CATALOGUE]
    assert (
        found[Topic.EXAMPLES] == stamped | made[Topic.EXAMPLES]
    )  # more than enough, and kept as the operator wants it
    assert found[Topic.METRICS] == made[Topic.METRICS]


def test_what_an_admin_set_otherwise_is_noticed_on_every_topic(kafka: str, prefix: str) -> None:
    ensure_topics(prefix, 1, {"bootstrap_servers": kafka})
    wrong = {
        Topic.CLICKS: {"cleanup.policy": "compact", "retention.ms": "7200000"},
        Topic.RECOMMENDATIONS: {"max.message.bytes": "1000"},
        Topic.REROUTED: {"retention.ms": "3600000"},  # as an older version made it
        Topic.MODELS: {"retention.ms": "1000"},
        Topic.CONTROLS: {"message.timestamp.type": "CreateTime"},
    }
    set_topics({"bootstrap_servers": kafka}, {prefix + topic: one for topic, one in wrong.items()})
    ensure_topics(prefix, 1, {"bootstrap_servers": kafka})
    found = configs(kafka, prefix)
    assert found[Topic.CLICKS]["cleanup.policy"] == "delete"
    assert found[Topic.CLICKS]["retention.ms"] == "7200000"  # the operator's to choose
    assert found[Topic.RECOMMENDATIONS]["max.message.bytes"] == "1000000"
    assert found[Topic.REROUTED]["retention.ms"] == "604800000"  # that of the other events
    assert found[Topic.MODELS]["retention.ms"] == "-1"
    assert found[Topic.CONTROLS]["message.timestamp.type"] == "LogAppendTime"


def test_more_replicas_in_sync_than_a_topic_has_are_said_and_kafka_4_takes_writes_all_the_same(
    kafka: str, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = {"bootstrap_servers": kafka}
    ensure_topics(prefix, 1, client)
    assert "min.insync.replicas" not in caplog.text
    set_topics(client, {prefix + Topic.EXAMPLES: {"min.insync.replicas": "2"}})
    ensure_topics(prefix, 1, client)
    assert f"{prefix}examples has 1 replicas and min.insync.replicas 2" in caplog.text
    check_topics(prefix, 1, client)
    with closing(KafkaProducer(acks="all", **client)) as producer:
        assert producer.send(prefix + Topic.EXAMPLES, b"{}").get(30).offset == 0


@pytest.mark.parametrize(
    ("topic", "found", "wanted"), [(Topic.REVIEWS, 2, 3), (Topic.MODELS, 2, 1)]
)
def test_other_partitions_are_named_before_anything_is_made(
    kafka: str, prefix: str, topic: Topic, found: int, wanted: int
) -> None:
    with admin_of(kafka) as admin:
        admin.create_topics(
            [NewTopic(prefix + topic, num_partitions=found, replication_factor=1)],
            wait_for_metadata=True,
        )
    with pytest.raises(
        BrokerError, match=f"topic {prefix}{topic} has {found} partitions, not {wanted}"
    ) as error:
        ensure_topics(prefix, 3, {"bootstrap_servers": kafka})
    assert "\n" not in str(error.value)
    assert partitions(kafka, prefix) == {topic: found}


def test_no_broker_is_one_line() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, not listening: refused
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(
            BrokerError, match=f"no Kafka broker answers at {address}.*UPWELL_KAFKA"
        ) as error:
            ensure_topics("nobody.", 1, {"bootstrap_servers": address, "bootstrap_timeout_ms": 300})
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning"
)  # kafka-python leaves its own behind then
def test_settings_that_cannot_be_used_are_one_line() -> None:
    with pytest.raises(
        BrokerError, match=r"Kafka's settings cannot be used: .*no-port.*UPWELL_KAFKA"
    ) as error:
        ensure_topics(
            "nobody.", 1, {"bootstrap_servers": ["127.0.0.1:no-port"], "bootstrap_timeout_ms": 300}
        )
    assert "\n" not in str(error.value)
    del error
    gc.collect()


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [  # UtilsTest.testMurmur2 of Apache Kafka
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
@pytest.mark.parametrize("count", [1, 4, 7, 1000])
def test_partition_of_is_javas(key: bytes, murmur2: int, count: int) -> None:
    assert partition_of(key, count) == (murmur2 & 0x7FFFFFFF) % count


@given(st.binary(max_size=64), st.integers(1, 1000))
def test_partition_of_stays_within(key: bytes, count: int) -> None:
    assert 0 <= partition_of(key, count) < count
    assert partition_of(key, 1) == 0


def test_records_land_where_partition_of_says(kafka: str, prefix: str) -> None:
    assert KafkaProducer.DEFAULT_CONFIG["partitioner"].__class__ is DefaultPartitioner
    ensure_topics(prefix, 5, {"bootstrap_servers": kafka})
    keys = ["", "ann", "user-17", "Zoë", "мир", "🙂", *(f"u{number}" for number in range(40))]
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    sent = {
        key: producer.send(prefix + Topic.CLICKS, key=key.encode(), value=b"{}") for key in keys
    }
    landed = {key: future.get(timeout=30).partition for key, future in sent.items()}
    producer.close()
    assert landed == {key: partition_of(key.encode(), 5) for key in keys}
