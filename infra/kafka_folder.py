"""The folder of one broker: its data, its settings, its log. It starts nothing that stays.

    data/  server.properties  ports.json  broker.log  lock

Kafka runs in this folder and finds all by relative names, so a folder may have any name and may be
moved.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from infra.ports import Ports
from upwell.errors import BrokerError

__all__ = ["TEMPLATE", "KafkaFolder"]

MIN_FREE_BYTES = 256 << 20
"""Less, and Kafka may end in the middle of a write."""
MAX_LOG_BYTES = 8 << 20
GIST_BYTES = 64 << 10
MAX_GIST = 300
FORMAT_SECONDS = 60.0
TEMPLATE = Path(__file__).parent / "server.properties"


class KafkaFolder:
    """path: made when it is not there. template: Kafka's settings, with places for ports and data.

    Its methods raise `BrokerError` where the disk does not let them.
    """

    def __init__(self, path: Path, template: Path = TEMPLATE) -> None:
        self.path = path.absolute()
        self._template = template.absolute()
        self.lock = self.path / "lock"
        self.log = self.path / "broker.log"
        self._data = self.path / "data"
        self._ports = self.path / "ports.json"
        self._log_start = 0

    def prepare(self) -> None:
        """Make the folder, look for room on its disk, put a long log aside."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.path).free
            if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
                self.log.replace(self.path / "broker.log.1")
            self._log_start = self.log.stat().st_size if self.log.exists() else 0
        except OSError as exc:
            raise self.refused(exc) from exc
        if free < MIN_FREE_BYTES:
            needed = (
                f"{MIN_FREE_BYTES >> 20} MB are needed: make room, or set UPWELL_DATA to "
                "another disk"
            )
            raise BrokerError(f"only {free >> 20} MB are free on the disk of {self.path}, {needed}")

    @property
    def last_ports(self) -> Ports | None:
        """Of the last start, None before the first."""
        try:
            kept = json.loads(self._ports.read_text())
            return Ports(int(kept["client"]), int(kept["controller"]))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
        ):  # only a preference: any free port will do
            return None

    def configure(self, ports: Ports) -> Path:
        """Write the settings of a start on these ports; they are the next start's `last_ports`."""
        try:
            self._ports.write_text(
                json.dumps({"client": ports.client, "controller": ports.controller})
            )
            return self._write_properties("server.properties", ports, self._data)
        except OSError as exc:
            raise self.refused(exc) from exc

    def format(self, java: Sequence[str], ports: Ports) -> None:
        """Make an empty `data/` unless there is one.

        java: the command up to the main class. Whole or not at all.
        """
        if (self._data / "meta.properties").is_file():
            return
        scratch = self.path / "formatting"
        try:
            shutil.rmtree(scratch, ignore_errors=True)  # what a killed start has left
            properties = self._write_properties("format.properties", ports, scratch)
            self._run_format(java, properties)
            scratch.rename(self._data)
            properties.unlink()
        except OSError as exc:
            raise self.refused(exc) from exc

    def open_log(self) -> IO[bytes]:
        """To append to."""
        try:
            return self.log.open("ab")
        except OSError as exc:
            raise self.refused(exc) from exc

    def gist(self) -> str:
        """The line of the log since `prepare` that says most: its last error, else the last."""
        if not self.log.exists():
            return "it said nothing"
        with self.log.open("rb") as log:
            log.seek(max(self._log_start, self.log.stat().st_size - GIST_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
        errors = [
            line
            for line in lines
            if " ERROR " in line
            or " FATAL " in line
            or "Exception" in line
            or line.startswith("Error")
        ]
        return (errors or lines or ["it said nothing"])[-1].strip()[:MAX_GIST]

    def refused(self, exc: OSError) -> BrokerError:
        """The one line for a disk that does not let Kafka keep its data."""
        return BrokerError(
            f"cannot keep Kafka's data in {self.path}: {exc.strerror}; make it writable, or "
            "set UPWELL_DATA to another folder"
        )

    def _write_properties(self, name: str, ports: Ports, data: Path) -> Path:
        values = {"port": ports.client, "controller_port": ports.controller, "data": data.name}
        text = self._template.read_text()
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", str(value))
        path = self.path / name
        path.write_text(text)
        return path

    def _run_format(self, java: Sequence[str], properties: Path) -> None:
        command = [
            *java,
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _cluster_id(),
            "-c",
            properties.name,
        ]
        try:
            done = subprocess.run(
                command,
                cwd=self.path,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=FORMAT_SECONDS,
            )
        except subprocess.TimeoutExpired as exc:
            raise BrokerError(
                f"Kafka did not format {self.path} within {FORMAT_SECONDS:.0f} s: is the "
                "disk or the machine overloaded?"
            ) from exc
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines()
            why = lines[-1][:MAX_GIST] if lines else "it did not say why"
            raise BrokerError(
                f"Kafka could not format {self.path}: {why}; is the disk full, or another "
                "data folder (UPWELL_DATA) better?"
            )


def _cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in base64 for URLs, never with a leading dash,
    which would read as an option.
    """
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
