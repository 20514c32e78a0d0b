"""A broker's folder: it remembers the ports, tells what a log says most, and says in one line what
the disk refuses.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.kafka_folder import KafkaFolder
from infra.ports import Ports
from upwell.errors import BrokerError

OneLine = Callable[["pytest.ExceptionInfo[BrokerError]"], str]
PORTS = Ports(4_001, 4_002)


@pytest.fixture
def folder(tmp_path: Path) -> KafkaFolder:
    folder = KafkaFolder(tmp_path / "kafka")
    folder.prepare()
    return folder


def test_ports_are_remembered_and_stand_in_the_settings(folder: KafkaFolder) -> None:
    assert folder.last_ports is None
    properties = folder.configure(PORTS).read_text().splitlines()
    assert folder.last_ports == PORTS
    assert "advertised.listeners=CLIENT://127.0.0.1:4001" in properties
    assert "controller.quorum.voters=1@127.0.0.1:4002" in properties
    assert "log.dirs=data" in properties
    assert not any("{" in line for line in properties if not line.startswith("#"))


@pytest.mark.parametrize(
    "torn", ["", "no json", "[]", "{}", '{"client": "x", "controller": 1}', '{"client": null}']
)
def test_a_torn_memory_of_the_ports_is_no_fault(folder: KafkaFolder, torn: str) -> None:
    folder.configure(PORTS)
    (folder.path / "ports.json").write_text(torn)
    assert folder.last_ports is None


@pytest.mark.parametrize(
    ("lines", "gist"),
    [
        ((), "it said nothing"),
        (("one", "two"), "two"),
        (("a ERROR the reason", "b INFO bye"), "a ERROR the reason"),
        (
            ("a ERROR first", "java.net.BindException: Address already in use", "bye"),
            "java.net.BindException: Address already in use",
        ),
        (("x" * 1_000,), "x" * 300),
    ],
)
def test_the_gist_is_the_last_error_or_the_last_line(
    folder: KafkaFolder, lines: Sequence[str], gist: str
) -> None:
    with folder.open_log() as log:
        log.write("".join(f"{line}\n" for line in lines).encode())
    assert folder.gist() == gist


def test_the_gist_is_of_this_start(folder: KafkaFolder) -> None:
    folder.log.write_text("a ERROR of the last start\n")
    folder.prepare()
    assert folder.gist() == "it said nothing"


def test_a_long_log_is_put_aside(folder: KafkaFolder) -> None:
    with folder.open_log() as log:
        log.truncate(9 << 20)
    folder.prepare()
    assert not folder.log.exists()
    assert (folder.path / "broker.log.1").stat().st_size == 9 << 20


def test_a_disk_without_room_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_line: OneLine
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5 << 20))
    with pytest.raises(
        BrokerError, match=f"only 5 MB are free on the disk of {tmp_path}.*256 MB.*UPWELL_DATA"
    ) as error:
        KafkaFolder(tmp_path).prepare()
    one_line(error)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, one_line: OneLine) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        BrokerError,
        match=r"cannot keep Kafka's data in .*file/kafka: Not a directory;.*UPWELL_DATA",
    ) as error:
        KafkaFolder(tmp_path / "file" / "kafka").prepare()
    one_line(error)


def test_formatting_is_whole_or_not_at_all(folder: KafkaFolder, one_line: OneLine) -> None:
    (folder.path / "formatting").mkdir()
    (folder.path / "formatting" / "torn").touch()
    with pytest.raises(BrokerError, match=r"could not format .*: the second line;") as error:
        folder.format(["/bin/sh", "-c", "echo one; echo the second line; exit 1"], PORTS)
    one_line(error)
    assert not (folder.path / "data").exists()

    folder.format(
        ["/bin/sh", "-c", "mkdir formatting && echo id > formatting/meta.properties"], PORTS
    )
    assert [path.name for path in (folder.path / "data").iterdir()] == ["meta.properties"]
    folder.format(["/bin/sh", "-c", "exit 1"], PORTS)  # is formatted: nothing is run
