"""The broker of `upwell run`: it starts, keeps its data, never outlives who started it, and says in
one line what it lacks.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from infra import kafka
from infra.java import INSTALL_LINE
from infra.kafka import KafkaBroker
from infra.ports import Ports, choose_ports
from upwell.errors import BrokerError

OneLine = Callable[["pytest.ExceptionInfo[BrokerError]"], str]
DEADLINE_SECONDS = 60.0
STUCK_JAVA = """
case "$*" in
*-version*) echo 'openjdk version "17.0.1"' ;;
*StorageTool*) /bin/mkdir formatting; echo > formatting/meta.properties ;;
*) echo "12:00 ERROR nothing moves"; exec /bin/sleep 600 ;;
esac
"""
PARENT = """
import sys
from pathlib import Path
from infra.kafka import KafkaBroker
broker = KafkaBroker(Path(sys.argv[1]), announce=Path(sys.argv[2]))
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def processes_on(folder: Path) -> list[int]:
    """Those whose command line names the folder: the guardian and its java."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                arguments = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it ended while we looked
            if f"{folder}/server.properties".encode() in arguments:
                found.append(int(entry.name))
    return found


def append(address: str, value: bytes) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    producer.send("kept", value).get(timeout=30)
    producer.close()


def first_value(address: str) -> bytes:
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    consumer.assign([TopicPartition("kept", 0)])
    consumer.seek_to_beginning()
    values: list[bytes] = []

    def polled() -> bool:
        values.extend(record.value for records in consumer.poll(200).values() for record in records)
        return bool(values)

    wait_until(polled, "the record")
    consumer.close()
    return values[0]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_restart_keeps_records_and_port_and_also_moves(
    tmp_path: Path, taken_port: int, one_line: OneLine
) -> None:
    """The folder's name has all that could be mistaken for Kafka's own syntax."""
    folder, announce = (
        tmp_path / "añy folder, = with: {port}",
        tmp_path / "announced" / "broker.json",
    )
    broker = KafkaBroker(folder, announce=announce)
    broker.start()
    told = {"address": broker.address, "pid": broker.pid, "folder": str(folder)}
    assert json.loads(announce.read_text()) == told
    append(broker.address, b"still here")
    with pytest.raises(BrokerError, match=f"a broker of process {os.getpid()} runs on") as error:
        KafkaBroker(folder).start()
    one_line(error)
    before = broker.address
    broker.stop()
    assert not announce.exists()
    assert processes_on(folder) == []
    broker.stop()  # does nothing

    with KafkaBroker(folder) as again:
        assert first_value(again.address) == b"still here"
        assert again.address == before

    (folder / "ports.json").write_text(json.dumps({"client": again.port, "controller": taken_port}))
    port = choose_ports(None, None).client
    with KafkaBroker(
        folder, port=port
    ) as moved:  # both ports are others: the controller's stands in Kafka's own records
        assert moved.address == f"127.0.0.1:{port}"
        assert first_value(moved.address) == b"still here"


def test_a_killed_parent_takes_its_broker_along_and_a_restart_waits_for_it(tmp_path: Path) -> None:
    """In a folder that has an `infra` of its own, as many projects do."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "__init__.py").touch()
    folder, announce = tmp_path / "kafka", tmp_path / "broker.json"
    command = [sys.executable, "-P", "-c", PARENT, str(folder), str(announce)]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip().isdigit()
        left_behind = processes_on(folder)
        assert len(left_behind) == 2
        assert announce.exists()
        parent.kill()
    with KafkaBroker(folder):
        wait_until(
            lambda: not set(left_behind) & set(processes_on(folder)),
            "the old guardian and java to end",
        )
    assert not announce.exists()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere no process can ask to follow its parent"
)
def test_a_killed_guardian_takes_java_along(tmp_path: Path, one_line: OneLine) -> None:
    with KafkaBroker(tmp_path) as broker:
        broker.check()
        os.kill(broker.pid, signal.SIGKILL)
        wait_until(lambda: processes_on(tmp_path) == [], "java to end")
        with pytest.raises(BrokerError, match=r"Kafka has ended by itself: .*broker\.log") as error:
            broker.check()
        one_line(error)


def test_a_taken_port_is_one_line(tmp_path: Path, taken_port: int, one_line: OneLine) -> None:
    with pytest.raises(BrokerError, match=f"port {taken_port} on 127.0.0.1 is taken") as error:
        KafkaBroker(tmp_path, port=taken_port).start()
    one_line(error)


def test_a_port_that_another_took_first_is_replaced(
    tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = choose_ports(None, None)
    offered = iter([Ports(taken_port, free.controller), free])
    monkeypatch.setattr(kafka, "choose_ports", lambda last, wanted: next(offered))
    with KafkaBroker(tmp_path) as broker:
        assert broker.port == free.client


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, one_line: OneLine) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        BrokerError, match=r"cannot keep Kafka's data in .*file/kafka: .*UPWELL_DATA"
    ) as error:
        KafkaBroker(tmp_path / "file" / "kafka").start()
    one_line(error)


def test_a_place_where_nothing_can_be_announced_is_one_line_and_ends_the_broker(
    tmp_path: Path, one_line: OneLine
) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "kafka"
    with pytest.raises(BrokerError, match=r"cannot write .*file/broker\.json") as error:
        KafkaBroker(folder, announce=tmp_path / "file" / "broker.json").start()
    one_line(error)
    assert processes_on(folder) == []


def test_a_broker_that_ends_at_once_is_one_line_with_its_reason(
    tmp_path: Path, one_line: OneLine
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "meta.properties").write_text("version=1\nnode.id=77\ncluster.id=another\n")
    with pytest.raises(
        BrokerError, match=r"Kafka ended while starting: .*node.id.*77.*broker\.log"
    ) as error:
        KafkaBroker(tmp_path).start()
    one_line(error)


def test_a_broker_that_gets_nowhere_is_ended_and_its_log_quoted(
    tmp_path: Path,
    only_in_path: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    one_line: OneLine,
) -> None:
    only_in_path("java", STUCK_JAVA)
    (tmp_path / "cache" / "kafka-4.3.1").mkdir(parents=True)
    monkeypatch.setenv("UPWELL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "kafka"

    def never_ready(host: str, port: int) -> bool:
        wait_until(
            lambda: b"nothing moves" in (folder / "broker.log").read_bytes(), "the broker to say so"
        )
        return False

    monkeypatch.setattr(kafka, "answers", never_ready)
    monkeypatch.setattr(kafka, "READY_SECONDS", 0.2)
    with pytest.raises(
        BrokerError, match=r"not ready after .*ERROR nothing moves .*kafka/broker\.log"
    ) as error:
        KafkaBroker(folder).start()
    one_line(error)
    assert processes_on(folder) == []


@pytest.mark.usefixtures("only_in_path")
def test_no_java_says_how_to_install_it(tmp_path: Path, one_line: OneLine) -> None:
    with pytest.raises(BrokerError, match="no java found") as error:
        KafkaBroker(tmp_path / "kafka").start()
    assert INSTALL_LINE in one_line(error)
    assert not (tmp_path / "kafka").exists()
