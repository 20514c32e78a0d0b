"""A real Apache Kafka on this machine: fetched once by Maven, started on free loopback ports, stopped with whoever started it.

    with KafkaBroker(Path("data/kafka")) as broker:
        print(broker.address)

It knows nothing about Upwell's topics.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.java import find_java, find_maven
from upwell.errors import BrokerError

__all__ = ["KAFKA_VERSION", "KafkaBroker", "fetch_kafka"]

KAFKA_VERSION = "4.3.1"
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
START_TRIES = 3
HEAP = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC")
_HERE = Path(__file__).parent


def cache_folder() -> Path:
    """Where fetched parts are kept, outside any project."""
    return Path(os.environ.get("UPWELL_CACHE") or Path.home() / ".cache" / "upwell")


def fetch_kafka(cache: Path) -> Path:
    """The folder of Kafka's jars, fetched when it is not there yet. Safe to call from several processes. Raises `BrokerError`."""
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    maven = find_maven()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as scratch:
            fetched = Path(scratch) / "jars"
            _run_maven(maven, Path(scratch), fetched)
            if not jars.is_dir():
                fetched.rename(jars)
    except OSError as exc:
        if not jars.is_dir():  # another process may have been faster
            raise BrokerError(f"cannot keep Kafka's jars in {cache}: {exc.strerror}; free space there or set UPWELL_CACHE") from exc
    return jars


def _run_maven(maven: str, scratch: Path, target: Path) -> None:
    shutil.copy(_HERE / "pom.xml", scratch / "pom.xml")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    done = subprocess.run([maven, "-q", "-B", *goal], cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not any(target.glob("kafka_*.jar")):
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        why = lines[0] if lines else "it gave no jars"
        raise BrokerError(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}: {why}; is a registry reachable?")


class KafkaBroker:
    """One broker on its own data folder, which a later start goes on with.

    port: of the clients; None takes the one of the last start if it is free, else any. announce: a file that holds address and pid
    while the broker runs, so that other programs find it.
    """

    def __init__(self, folder: Path, *, port: int | None = None, announce: Path | None = None) -> None:
        self._folder = folder.absolute()
        self._wanted_port = port
        self._announce = announce
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the guardian, whose end is the broker's."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> KafkaBroker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the broker answers. Raises `BrokerError` saying what is missing and how to get it."""
        java = find_java()
        jars = fetch_kafka(cache_folder())
        for attempt in range(START_TRIES):
            self.port, controller_port = self._ports()
            try:
                self._launch(java, jars, controller_port)
                self._wait_ready()
                break
            except BrokerError:
                self.stop()
                if attempt + 1 == START_TRIES or self._wanted_port is not None or "in use" not in self._log_tail():
                    raise
        if self._announce is not None:
            self._announce.parent.mkdir(parents=True, exist_ok=True)
            self._announce.write_text(json.dumps({"address": self.address, "pid": self.pid}))

    def stop(self) -> None:
        """End the broker and wait for it; does nothing when it does not run."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()  # the guardian ends the broker
        self._process.wait(STOP_SECONDS * 2)
        self._process = None
        if self._announce is not None:
            self._announce.unlink(missing_ok=True)

    def _ports(self) -> tuple[int, int]:
        remembered = self._folder / "port"
        wanted = self._wanted_port
        if wanted is not None and not _free(wanted):
            raise BrokerError(f"port {wanted} on 127.0.0.1 is taken: stop what listens there, or leave the port out to get a free one")
        if wanted is None and remembered.is_file() and _free(int(remembered.read_text())):
            wanted = int(remembered.read_text())
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", wanted or 0))
            other.bind(("127.0.0.1", 0))
            return one.getsockname()[1], other.getsockname()[1]

    def _launch(self, java: str, jars: Path, controller_port: int) -> None:
        data = self._folder / "data"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "port").write_text(str(self.port))
            properties = self._folder / "server.properties"
            template = (_HERE / "server.properties").read_text()
            for name, value in {"port": self.port, "controller_port": controller_port, "data": data}.items():
                template = template.replace(f"{{{name}}}", str(value))
            properties.write_text(template)
            command = [java, *HEAP, f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}", "-cp", f"{jars}/*"]
            if not (data / "meta.properties").is_file():
                self._format(command, properties)
            with (self._folder / "broker.log").open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "infra.guardian", str(STOP_SECONDS), *command, "kafka.Kafka", str(properties)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as exc:
            raise BrokerError(f"cannot keep Kafka's data in {self._folder}: {exc.strerror}; free space there or set UPWELL_DATA") from exc

    def _format(self, command: list[str], properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A").replace("_", "B")
        formatting = [*command, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
        done = subprocess.run(formatting, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines()
            raise BrokerError(f"Kafka could not format {self._folder}: {lines[0] if lines else 'it did not say why'}; is the disk full?")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise BrokerError(f"Kafka ended while starting: {self._log_tail()} (all of it: {self._folder / 'broker.log'})")
            if _listens(self.port) and _answers(self.address):
                return
            time.sleep(0.1)
        raise BrokerError(f"Kafka was not ready after {READY_SECONDS:.0f} s: {self._log_tail()} (all of it: {self._folder / 'broker.log'})")

    def _log_tail(self) -> str:
        path = self._folder / "broker.log"
        lines = path.read_text(errors="replace").strip().splitlines() if path.is_file() else []
        errors = [line for line in lines if "ERROR" in line or "Exception" in line]
        return (errors or lines or ["it said nothing"])[-1]


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(address: str) -> bool:
    try:
        admin = KafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5_000)
    except KafkaError:
        return False
    try:
        admin.list_topics()
    except KafkaError:
        return False
    finally:
        admin.close()
    return True
