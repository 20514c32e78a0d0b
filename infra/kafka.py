"""A real Apache Kafka on this machine: started on free loopback ports, stopped with whoever started
it, its data kept.

    with KafkaBroker(Path("data/kafka")) as broker:
        print(broker.address)

It knows nothing about Upwell's topics.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infra.fetch import KAFKA_VERSION, cache_folder, fetch_kafka
from infra.java import find_java
from infra.kafka_folder import TEMPLATE, KafkaFolder
from infra.ports import LOOPBACK, Ports, choose_ports
from infra.probe import answers
from upwell.errors import BrokerError
from upwell.system.files import write_whole
from upwell.system.lock import holder, try_lock

__all__ = ["KAFKA_VERSION", "KafkaBroker", "cache_folder", "fetch_kafka"]

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
"""Between asking Kafka to end and killing it."""
START_TRIES = 3
TICK_SECONDS = 0.05
JVM = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""The quick compiler alone: with the thorough one the first 40,000 records took 5.9 s of processor
time instead of 3.1.
"""
_HERE = Path(__file__).parent.absolute()


class KafkaBroker:
    """One broker on its own data folder, which a later start goes on with.

    port: of the clients; None takes the one of the last start if it is free, else any. announce: a
    file that holds address, pid and folder while the broker runs, so that other programs find it.
    template: Kafka's settings, for a broker with more listeners than this one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        announce: Path | None = None,
        template: Path = TEMPLATE,
    ) -> None:
        self._folder = KafkaFolder(folder, template)
        self._wanted_port = port
        self._announce = announce.absolute() if announce is not None else None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Of the guardian: SIGTERM to it ends the broker in order; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> KafkaBroker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the broker answers.

        Raises `BrokerError` saying what is missing and how to get it; then nothing is left running.
        """
        java = [
            find_java(),
            *JVM,
            f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}",
            "-cp",
            f"{fetch_kafka(cache_folder())}/*",
        ]
        self._folder.prepare()
        lock = self._take_folder()
        try:
            self._start_on_free_ports(java, lock)
            self._write_announcement()
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        finally:
            os.close(lock)  # the running broker has its own copy

    def stop(self) -> None:
        """End the broker and wait for it; does nothing when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()  # the guardian ends the broker
        try:
            process.wait(STOP_SECONDS * 2)
        except subprocess.TimeoutExpired:
            process.kill()  # the broker follows its guardian
            process.wait()

    def check(self) -> None:
        """Raises `BrokerError` when the broker has ended by itself, as it does when its disk is
        full.
        """
        if self._process is not None and self._process.poll() is not None:
            raise BrokerError(f"Kafka has ended by itself: {self._told()}")

    def _take_folder(self) -> int:
        """The folder's lock. A broker whose parent was killed is given the time to end."""
        deadline = time.monotonic() + STOP_SECONDS * 2
        while True:
            try:
                lock = try_lock(self._folder.lock)
            except OSError as exc:
                raise self._folder.refused(exc) from exc
            if lock is not None:
                return lock
            owner = holder(self._folder.lock)
            if owner is not None or time.monotonic() > deadline:
                who = f"process {owner}" if owner is not None else "a process that is gone"
                raise BrokerError(
                    f"a broker of {who} runs on {self._folder.path}: end it, "
                    "or name it in UPWELL_KAFKA, or set UPWELL_DATA to another folder"
                )
            time.sleep(TICK_SECONDS)

    def _start_on_free_ports(self, java: Sequence[str], lock: int) -> None:
        last = self._folder.last_ports
        for attempt in range(1, START_TRIES + 1):
            ports = choose_ports(last, self._wanted_port)
            try:
                self._launch(java, ports, lock)
                self._await_ready()
                return
            except BrokerError:
                self.stop()
                if attempt == START_TRIES or "Address already in use" not in self._folder.gist():
                    raise
                last = None  # another program was faster: try others
                self._folder.prepare()

    def _launch(self, java: Sequence[str], ports: Ports, lock: int) -> None:
        self.port = ports.client
        properties = self._folder.configure(ports)
        self._folder.format(java, ports)
        guardian = [
            sys.executable,
            "-I",
            "-S",
            str(_HERE / "guardian.py"),
            str(STOP_SECONDS),
            str(self._announce or ""),
        ]
        with self._folder.open_log() as log:
            self._process = subprocess.Popen(
                [*guardian, *java, "kafka.Kafka", str(properties)],
                cwd=self._folder.path,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                # Ctrl-C in the terminal is for the parent alone, which ends the broker last
                start_new_session=True,
            )

    def _await_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BrokerError(f"Kafka ended while starting: {self._told()}")
            if answers(LOOPBACK, self.port) and self._process.poll() is None:
                return
            time.sleep(TICK_SECONDS)
        raise BrokerError(f"Kafka was not ready after {READY_SECONDS:.0f} s: {self._told()}")

    def _told(self) -> str:
        return f"{self._folder.gist()} (its log: {self._folder.log})"

    def _write_announcement(self) -> None:
        """The guardian removes it at the broker's end."""
        if self._announce is None:
            return
        try:
            self._announce.parent.mkdir(parents=True, exist_ok=True)
            folder = str(self._folder.path.absolute())
            announced = {"address": self.address, "pid": self.pid, "folder": folder}
            write_whole(self._announce, json.dumps(announced).encode())
        except OSError as exc:
            raise BrokerError(
                f"cannot write the broker's address to {self._announce} ({exc.strerror})"
            ) from exc
