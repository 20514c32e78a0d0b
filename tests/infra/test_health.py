"""The container's health check on a real broker: healthy while both roles speak, else a line that
says who is silent.
"""

from __future__ import annotations

from time import time_ns

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from infra import health
from infra.health import MAX_SILENCE_MS, TAIL_RECORDS, main, silent_roles

NOW = 1_000_000


@pytest.mark.parametrize(
    ("spoke", "silent"),
    [
        ([], ["serve", "learn"]),
        ([(b"serve", NOW), (b"learn", NOW - MAX_SILENCE_MS)], []),
        ([(b"serve", NOW), (b"learn", NOW - MAX_SILENCE_MS - 1)], ["learn"]),
        ([(b"learn", NOW), (b"serve", NOW - 2 * MAX_SILENCE_MS), (b"another", NOW)], ["serve"]),
        ([(b"serve", NOW - 2 * MAX_SILENCE_MS), (b"serve", NOW), (b"learn", NOW + 5)], []),
    ],
)
def test_who_has_not_spoken_lately_is_silent(
    spoke: list[tuple[bytes, int]], silent: list[str]
) -> None:
    assert silent_roles(spoke, NOW) == silent


@pytest.fixture
def metrics(kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The topic, made and empty."""
    monkeypatch.setenv("UPWELL_KAFKA", kafka)
    monkeypatch.setenv("UPWELL_PREFIX", prefix)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    stamped = {"message.timestamp.type": "LogAppendTime"}
    one = NewTopic(
        prefix + "metrics", num_partitions=1, replication_factor=1, topic_configs=stamped
    )
    admin.create_topics([one], wait_for_metadata=True)
    admin.close()
    return prefix + "metrics"


def say(kafka: str, topic: str, *roles: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    for role in roles:
        producer.send(topic, key=role, value=b"{}")
    producer.close()


def test_both_roles_make_it_healthy(
    kafka: str, metrics: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main() == 1
    assert capsys.readouterr().out == "silent for 60 s or more: serve, learn\n"
    say(kafka, metrics, b"learn")
    assert main() == 1
    assert capsys.readouterr().out == "silent for 60 s or more: serve\n"
    say(kafka, metrics, *[b"serve"] * TAIL_RECORDS, b"learn")
    assert main() == 0
    assert capsys.readouterr().out == "serve and learn are at work\n"
    later = time_ns() + 2 * MAX_SILENCE_MS * 1_000_000
    monkeypatch.setattr(health, "time_ns", lambda: later)
    assert main() == 1


def test_no_engine_and_no_settings_are_one_line(
    kafka: str, prefix: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main() == 3  # UPWELL_KAFKA is not set
    monkeypatch.setenv("UPWELL_KAFKA", kafka)
    monkeypatch.setenv("UPWELL_PREFIX", prefix)
    assert main() == 1  # no such topic
    monkeypatch.setenv("UPWELL_PARTITIONS", "none")
    assert main() == 2
    assert len(capsys.readouterr().out.splitlines()) == 3
