"""Kafka's jars: fetched once, whole or not at all; what goes wrong is one line."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.fetch import fetch_kafka
from infra.java import INSTALL_LINE
from upwell.errors import BrokerError

Put = Callable[[str, str], None]
OneLine = Callable[["pytest.ExceptionInfo[BrokerError]"], str]
FETCHES = "/bin/mkdir jars && echo jar > jars/kafka_2.13-4.3.1.jar && echo once >> ../fetches"


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir())


def test_maven_brings_the_jars_once(only_in_path: Put, tmp_path: Path) -> None:
    only_in_path("mvn", FETCHES)
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(4) as pool:
        found = [done.result() for done in [pool.submit(fetch_kafka, cache) for _ in range(4)]]
    assert set(found) == {cache / "kafka-4.3.1"}
    assert (cache / "kafka-4.3.1" / "kafka_2.13-4.3.1.jar").is_file()
    assert (cache / "fetches").read_text() == "once\n"
    assert kept(cache) == ["kafka-4.3.1"]


def test_what_a_killed_fetch_left_is_no_obstacle(only_in_path: Put, tmp_path: Path) -> None:
    only_in_path("mvn", FETCHES)
    (tmp_path / "cache" / "kafka.fetching" / "jars").mkdir(parents=True)
    (tmp_path / "cache" / "kafka.fetching" / "jars" / "torn.jar").touch()
    jars = fetch_kafka(tmp_path / "cache")
    assert [jar.name for jar in jars.iterdir()] == ["kafka_2.13-4.3.1.jar"]


@pytest.mark.usefixtures("only_in_path")
def test_fetched_jars_need_no_maven(tmp_path: Path, one_line: OneLine) -> None:
    with pytest.raises(BrokerError, match="no mvn found") as error:
        fetch_kafka(tmp_path)
    assert INSTALL_LINE in one_line(error)
    (tmp_path / "kafka-4.3.1").mkdir()
    assert fetch_kafka(tmp_path) == tmp_path / "kafka-4.3.1"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo; echo '[ERROR] Unknown host repo.example'; echo '[ERROR] more'; exit 1",
            "Unknown host repo.example; check the network",
        ),
        ("exit 0", "it gave no jars; check the network"),
    ],
)
def test_what_maven_said_is_passed_on_in_one_line(
    only_in_path: Put, tmp_path: Path, script: str, why: str, one_line: OneLine
) -> None:
    only_in_path("mvn", script)
    with pytest.raises(BrokerError, match=f"could not fetch Apache Kafka 4.3.1: {why}") as error:
        fetch_kafka(tmp_path / "cache")
    one_line(error)
    assert kept(tmp_path / "cache") == []


def test_a_cache_that_cannot_be_written_is_one_line(
    only_in_path: Put, tmp_path: Path, one_line: OneLine
) -> None:
    only_in_path("mvn", "exit 0")
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match=r"cannot keep Kafka's jars .*UPWELL_CACHE") as error:
        fetch_kafka(tmp_path / "file" / "cache")
    one_line(error)
