"""Everything that `upwell run` and `upwell demo` start: a broker unless one is named, the topics,
one serve and one learn process, or one of the two beside an engine elsewhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.kafka import KafkaBroker
from stream.broker.feeds import Broadcast
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.metrics.record import parse_record
from stream.ops.supervise import ENCODE, ROLES, Supervisor
from upwell.client import client_options
from upwell.errors import SettingsError, UpwellError
from upwell.events import Topic
from upwell.settings import Settings

__all__ = ["READY_SECONDS", "Cluster", "Metrics", "running_cluster", "settled"]

READY_SECONDS = 120.0
"""That workers are given to start."""
TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running engine. settings: with the broker's address filled in. own_broker: started here."""

    settings: Settings
    supervisor: Supervisor
    own_broker: bool

    @property
    def client(self) -> dict[str, Any]:
        """kafka-python's options for its broker."""
        return client_options(self.settings.kafka)

    def wait(
        self,
        until: Callable[[], bool],
        seconds: float,
        what: str,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep both processes alive and call `tick` until `until` holds.

        Raises `UpwellError` after so many seconds, and where a process cannot be kept alive.
        """
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                raise UpwellError(
                    f"waited {seconds:.0f} s for {what}: look into the logs of serve and "
                    "learn in the data folder"
                )
            self.supervisor.check()
            tick()
            time.sleep(TICK_SECONDS)


@contextmanager
def running_cluster(
    settings: Settings,
    environ: Mapping[str, str],
    logs: Path | None,
    announce: Path,
    say: Callable[[str], None],
    roles: Sequence[str] = (),
) -> Iterator[Cluster]:
    """Start all, stop all.

    environ: of the children, beside what is filled in here. announce: where a broker started here
    writes its address. say: told what is being started. roles: that run here, a learner among them
    as standby where another one learns; none: all, as the only engine that learns.

    Raises `SettingsError` where some roles are to run here and no broker is named.
    """
    engine = set(roles or ROLES) & set(ROLES)
    parted = bool(engine or ENCODE in roles) and engine != set(ROLES)
    if parted and settings.kafka.address is None:
        raise SettingsError(
            f"only {', '.join(roles)} is to run here, and no broker is named: set UPWELL_KAFKA to "
            "that of the engine which the rest of it runs"
        )
    # -P: a folder `store` where Upwell is started is not what its processes import
    python = [sys.executable, "-P", "-m"]
    with ExitStack() as stack:
        kernels = _compiling(stack, [*python, "learner.training.warmup"]) if engine else None
        own_broker = settings.kafka.address is None
        if own_broker:
            say("starting Apache Kafka (the first time Maven fetches it) ...")
            broker = stack.enter_context(KafkaBroker(settings.data / "kafka", announce=announce))
            settings = replace(settings, kafka=replace(settings.kafka, address=broker.address))
            say(f"Apache Kafka is up on {broker.address}, its data in {settings.data / 'kafka'}")
        if kernels is not None:
            say("compiling the ranking kernels (the first time takes a minute or two) ...")
            if kernels.wait() != 0:
                raise UpwellError("the ranking kernels cannot be compiled; the reason stands above")
        ensure_topics(
            settings.kafka.prefix, settings.kafka.partitions, client_options(settings.kafka)
        )
        children = {
            **os.environ,
            **environ,
            "UPWELL_KAFKA": settings.kafka.address or "",
            "UPWELL_DATA": str(settings.data),
        }
        worker = [*python, "upwell", "worker"]
        supervisor = stack.enter_context(
            Supervisor(worker, children, logs, roles or ROLES, alone=not roles)
        )
        yield Cluster(settings, supervisor, own_broker)


def _compiling(stack: ExitStack, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process of its own: this one stays, and does without torch and numba."""
    kernels = stack.enter_context(subprocess.Popen(command))
    stack.callback(kernels.kill)
    return kernels


class Metrics:
    """The newest figures of each role, as they come in on `metrics`."""

    def __init__(self, settings: Settings) -> None:
        kafka = settings.kafka
        self._feed = Broadcast(kafka.prefix + Topic.METRICS, client_options(kafka))
        self._newest: dict[str, dict[str, Any]] = {}

    def start(self) -> None:
        """From now on."""
        self._feed.start(last=0)

    def stop(self) -> None:
        self._feed.stop()

    def newest(self, role: str) -> dict[str, Any]:
        """Empty until the role has said something."""
        for record in self._feed.drain():
            if (value := parse_record(record.value or b"")) is not None:
                self._newest[value["role"]] = value
        return self._newest.get(role, {})

    def ready(self) -> bool:
        """Both roles have said something."""
        return bool(self.newest("serve") and self.newest("learn"))


def settled(lag: Lag, metrics: Metrics) -> bool:
    """Whether all that was sent has been acknowledged by serve, and all examples have been learned.
    It is seen late: by serve's commit interval, and by the second between two figures of learn.
    """
    if lag.behind() > 0:
        return False
    positions = metrics.newest("learn").get("positions", {})
    return all(
        int(positions.get(str(end.partition), 0)) >= offset
        for end, offset in lag.ends([Topic.EXAMPLES]).items()
    )
