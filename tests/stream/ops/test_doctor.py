"""The doctor on brokers that answer and cannot work: each of these surroundings is a real broker
started so.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from infra.fetch import cache_folder, fetch_kafka
from infra.java import find_java
from infra.kafka import KafkaBroker
from infra.kafka_folder import TEMPLATE
from stream.broker.engines import agree_on_key
from stream.broker.topics import ensure_topics
from stream.learn.lock import LearnerLock
from stream.learn.standby import standby_record
from stream.ops.doctor import Finding, examine
from tests.stream.broker.test_engines import speaking
from upwell.client import UpwellClient, client_options
from upwell.errors import BrokerError
from upwell.settings import KafkaSettings, Settings, StoreSettings

BROKERS = ("broker", "record", "topics", "engines", "events", "key", "titles", "uses", "encode")
LIMIT_SECONDS = 30.0


@contextmanager
def broker_with(folder: Path, more: str) -> Iterator[KafkaBroker]:
    """A broker with these settings of Kafka's beside the usual ones, of which the last counts."""
    template = folder / "server.properties"
    template.write_text(f"{TEMPLATE.read_text()}\n{more}\n")
    with KafkaBroker(folder / "kafka", template=template) as broker:
        yield broker


def broker_findings(settings: Settings) -> dict[str, Finding]:
    """The doctor's lines about the broker, which must come within its limit."""
    started, found = monotonic(), {}
    for finding in examine(settings):
        if finding.what in BROKERS:
            found[finding.what] = finding
        if finding.what == "codecs":
            break
    assert monotonic() - started < LIMIT_SECONDS  # promised to a person, not a speed
    assert all("\n" not in one.detail for one in found.values())
    return found


def on(address: str, prefix: str, folder: Path) -> Settings:
    return Settings(
        kafka=KafkaSettings(address=address, prefix=prefix),
        store=StoreSettings(kind="memory"),
        data=folder / "data",
    )


def topics_of(address: str) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def test_a_broker_that_works_has_every_step_done_and_nothing_left(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    found = broker_findings(on(kafka, prefix, tmp_path))
    assert [one for one in found.values() if not one.fine] == []
    assert found["record"].detail == "a record was produced, consumed, committed and deleted"
    assert not [name for name in topics_of(kafka) if name.startswith(prefix)]


def test_internal_topics_of_more_replicas_than_brokers_are_named(
    prefix: str, tmp_path: Path
) -> None:
    with broker_with(tmp_path, "offsets.topic.replication.factor=3") as broker:
        found = broker_findings(on(broker.address, prefix, tmp_path))
        assert [one.what for one in found.values() if not one.fine] == ["record"]
        assert "cannot be committed" in found["record"].detail
        assert "offsets.topic.replication.factor" in found["record"].detail
        assert "above their number (1)" in found["record"].detail
        assert not [name for name in topics_of(broker.address) if name.startswith(prefix)]


def test_more_replicas_in_sync_than_there_are_do_not_keep_kafka_4_from_working(
    prefix: str, tmp_path: Path
) -> None:
    """It asks for as many as the topic has replicas: the record says so, not the setting."""
    with broker_with(tmp_path, "") as broker:
        # for all brokers, as Kafka 4 wants it; no Python client can name them all
        tool = [find_java(), "-cp", f"{fetch_kafka(cache_folder())}/*", "kafka.admin.ConfigCommand"]
        where = ["--bootstrap-server", broker.address, "--entity-type", "brokers"]
        what = ["--entity-default", "--alter", "--add-config", "min.insync.replicas=2"]
        subprocess.run([*tool, *where, *what], check=True, capture_output=True)
        found = broker_findings(on(broker.address, prefix, tmp_path))
        assert found["record"].fine, found["record"].detail


def test_an_advertised_name_that_does_not_resolve_is_named(prefix: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        lost = free.getsockname()[1]
    more = "\n".join(
        [
            f"listeners=CLIENT://127.0.0.1:{{port}},LOST://127.0.0.1:{lost},"
            "CONTROLLER://127.0.0.1:{controller_port}",
            f"advertised.listeners=CLIENT://127.0.0.1:{{port}},LOST://no-such-host.invalid:{lost}",
            "listener.security.protocol.map=CLIENT:PLAINTEXT,LOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ]
    )
    with broker_with(tmp_path, more):
        found = broker_findings(on(f"127.0.0.1:{lost}", prefix, tmp_path))
        assert list(found) == ["broker"]
        assert "no-such-host.invalid, which does not resolve here" in found["broker"].detail
        assert "advertised.listeners" in found["broker"].detail
        lost_client = client_options(KafkaSettings(address=f"127.0.0.1:{lost}", prefix=prefix))
        quick = {"bootstrap_timeout_ms": 2_000}
        with pytest.raises(BrokerError, match=r"no-such-host.invalid.*advertised.listeners"):
            ensure_topics(prefix, 1, lost_client | quick)
        with pytest.raises(BrokerError, match=r"no-such-host.invalid.*advertised.listeners"):
            UpwellClient(f"127.0.0.1:{lost}")


def test_the_key_of_another_engine_is_named(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = on(kafka, prefix, tmp_path)
    client = client_options(settings.kafka)
    ensure_topics(prefix, settings.kafka.partitions, client)
    agree_on_key(client, prefix, "0123456789abcdef", "shop-1")
    found = broker_findings(settings)
    assert "a second machine that helps needs the same in UPWELL_KEY" in found["key"].detail
    settings.data.mkdir()
    (settings.data / "key").write_bytes(b"k" * 32)
    found = broker_findings(settings)
    assert not found["key"].fine
    assert "of the engine shop-1" in found["key"].detail


def test_an_engine_that_is_in_the_way_is_named(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = on(kafka, prefix, tmp_path)
    ensure_topics(prefix, settings.kafka.partitions, client_options(settings.kafka))
    assert broker_findings(settings)["engines"].detail == "none is in the way of this one"
    with speaking(settings, "shop-1", "edge"):
        found = broker_findings(settings)["engines"]
    assert found.detail.startswith("warning: another engine (shop-1) serves")
    assert "set UPWELL_INSTANCE" in found.detail


def test_who_learns_elsewhere_and_who_waits_for_it_are_named(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = on(kafka, prefix, tmp_path)
    client = client_options(settings.kafka)
    ensure_topics(prefix, settings.kafka.partitions, client)
    lock = LearnerLock(client, prefix, "shop-1")
    lock.take()
    try:
        with KafkaProducer(**client) as producer:
            for leaves, engine in ((False, "shop-2"), (False, "shop-3"), (True, "shop-3")):
                one = standby_record(engine, "shop-1", 5, leaves)
                producer.send(prefix + one.topic, key=one.key, value=one.value, partition=0)
        found = broker_findings(settings)["engines"]
    finally:
        lock.release()
    assert found.detail == (
        "none is in the way of this one; shop-1 learns: `upwell run` is refused here, "
        "`upwell run --roles serve,learn` waits; shop-2 waits as standby for shop-1"
    )
