"""Two hosts: two `upwell run`, each with a data folder of its own and its own address of the
broker; they share the topics, a Qdrant server, the key and the place for checkpoints. The first one
is lost as by a power cut: the second has all its users, and learns.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.kafka import KafkaBroker
from infra.kafka_folder import TEMPLATE
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from store.server import ServerOptions, connect
from stream.broker.feeds import Broadcast
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from tests.e2e.engine import wait_until
from tests.faults.qdrant_double import QdrantDouble
from tests.learner.counted import item_events
from upwell.client import UpwellClient, client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings, load_settings

SECOND_ADDRESS = "127.0.0.2"
NAMED_SERVER = os.environ.get("UPWELL_TEST_QDRANT_URL")
START_SECONDS = 300.0
"""Kernels that were never compiled take minutes on a machine that has other work."""
USERS = [f"user-{number}" for number in range(12)]


@pytest.fixture
def second_port() -> int:
    """Free at the second address: Kafka takes no port twice, at whatever addresses."""
    with socket.socket() as free:
        free.bind((SECOND_ADDRESS, 0))
        return int(free.getsockname()[1])


@pytest.fixture
def broker(tmp_path: Path, second_port: int) -> Iterator[KafkaBroker]:
    """One that each host reaches at, and is sent on to, an address of its own."""
    template = tmp_path / "server.properties"
    text = TEMPLATE.read_text()
    for name in ("listeners", "advertised.listeners"):
        own = f"\n{name}=CLIENT://127.0.0.1:{{port}}"
        assert own in text
        text = text.replace(own, f"{own},SECOND://{SECOND_ADDRESS}:{second_port}")
    protocols = "\nlistener.security.protocol.map=CLIENT:PLAINTEXT"
    assert protocols in text
    template.write_text(text.replace(protocols, f"{protocols},SECOND:PLAINTEXT"))
    with KafkaBroker(tmp_path / "kafka", template=template) as running:
        yield running


@pytest.fixture(params=["a double of a Qdrant server", "the server at UPWELL_TEST_QDRANT_URL"])
def qdrant(request: pytest.FixtureRequest, prefix: str) -> Iterator[dict[str, str]]:
    """Settings of a server that both hosts reach."""
    if "double" in request.param:
        with QdrantDouble() as double:
            yield {"UPWELL_QDRANT_URL": double.url, "UPWELL_QDRANT_GRPC_PORT": str(double.port)}
        return
    if NAMED_SERVER is None:
        pytest.skip("UPWELL_TEST_QDRANT_URL names no Qdrant server")
    port = os.environ.get("UPWELL_TEST_QDRANT_GRPC_PORT", "6334")
    yield {"UPWELL_QDRANT_URL": NAMED_SERVER, "UPWELL_QDRANT_GRPC_PORT": port}
    client = connect(ServerOptions(NAMED_SERVER, grpc_port=int(port)))
    for name in ("users", "items"):
        client.delete_collection(f"{prefix.rstrip('.')}_{name}")
    client.close()


@dataclass(frozen=True, slots=True)
class Host:
    """An `upwell run`. said: its log."""

    process: subprocess.Popen[bytes]
    said: Path

    def kill(self) -> None:
        """All of its processes at once, as by a power cut: none is told that another is gone."""
        pid = self.process.pid
        os.kill(pid, signal.SIGSTOP)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        self.process.kill()
        self.process.wait()


@contextmanager
def host(name: str, environ: dict[str, str], folder: Path) -> Iterator[Host]:
    command = (sys.executable, "-P", "-m", "upwell", "run", "--roles", "serve,learn")
    own = {"UPWELL_INSTANCE": name, "UPWELL_DATA": str(folder / name)}
    said = folder / f"{name}.log"
    with (
        said.open("wb") as output,
        subprocess.Popen(
            command, env={**os.environ, **environ, **own}, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield Host(process, said)
        finally:
            process.send_signal(signal.SIGTERM)


class Spoken:
    """The newest record of each worker on `metrics`."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._feed = Broadcast(kafka.prefix + Topic.METRICS, client_options(kafka))
        self._feed.start()
        self._newest: dict[str, dict[str, Any]] = {}

    def newest(self) -> dict[str, dict[str, Any]]:
        """By its name."""
        for record in self._feed.drain():
            one = orjson.loads(record.value or b"{}")
            self._newest[one["instance"]] = one
        return self._newest

    def stop(self) -> None:
        self._feed.stop()


def clicks(upwell: UpwellClient, item: str) -> set[str]:
    """One of each user."""
    sent = {upwell.click(user, item).event_id for user in USERS}
    upwell.flush()
    return sent


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_host_that_is_lost_is_replaced_by_the_other(
    broker: KafkaBroker,
    second_port: int,
    qdrant: dict[str, str],
    prefix: str,
    tmp_path: Path,
) -> None:
    on = KafkaSettings(address=broker.address, prefix=prefix)
    models = f"file://{tmp_path}/shared/models"
    ensure_topics(prefix, on.partitions, client_options(on))
    shared = {
        **qdrant,
        "UPWELL_PREFIX": prefix,
        "UPWELL_STORE": "server",
        "UPWELL_MODELS": models,
        "UPWELL_KEY": secrets.token_hex(32),
        "UPWELL_FUSED": "off",
        "UPWELL_CHECKPOINT_EXAMPLES": "5",
    }
    addresses = (broker.address, f"{SECOND_ADDRESS}:{second_port}")
    environs = [{**shared, "UPWELL_KAFKA": address} for address in addresses]
    spoken = Spoken(on)
    with ExitStack() as stack:
        stack.callback(spoken.stop)
        first = stack.enter_context(host("serve-0", environs[0], tmp_path))
        wait_until(
            lambda: {"serve-0", "learn"} <= spoken.newest().keys(), "the first host", START_SECONDS
        )
        learned_by = spoken.newest()["learn"]["engine"]
        second = stack.enter_context(host("serve-1", environs[1], tmp_path))
        wait_until(lambda: len(spoken.newest()) == 4, f"the second; log {second.said}")
        standby = next(one for one in spoken.newest().values() if one["role"] == "standby")
        assert standby["waits_for"] == learned_by

        with UpwellClient(broker.address, on) as upwell:
            lists = upwell.lists(timeout=60)
            upwell.item("i0", "a title")
            upwell.item("i1", "another title")
            upwell.flush()
            sent = clicks(upwell, "i0")
            while sent:
                sent.discard(next(lists).trigger)
            folder = LocalFolder(tmp_path / "shared" / "models")
            wait_until(lambda: checkpoint.latest(folder) is not None, "a checkpoint")
            health = subprocess.run(
                [sys.executable, "-m", "infra.health"],
                env={**os.environ, **environs[1], "UPWELL_INSTANCE": "serve-1"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert health.stdout == (
                f"serve-1, learn, serve-0, {standby['instance']} are at work\n"
            )

            clicks(upwell, "i1")
            first.kill()
            sent = clicks(upwell, "i0")  # a list may be of both clicks, and names the last
            while sent:
                sent.discard(next(lists).trigger)
        wait_until(
            lambda: spoken.newest()["learn"]["engine"] == standby["engine"], "the second to learn"
        )
        with Lag(client_options(on), prefix) as lag:
            ends = {one.partition: end for one, end in lag.ends([Topic.EXAMPLES]).items()}

        def all_learned() -> bool:
            positions = spoken.newest()["learn"]["positions"]
            return all(positions.get(str(one), 0) >= end for one, end in ends.items())

        wait_until(all_learned, f"all examples to be learned; log {second.said}")
        assert second.process.poll() is None
    newest = checkpoint.latest(folder)  # it ended in order, and saved
    assert newest is not None
    arrays, meta = checkpoint.load(folder, newest.name)
    assert {int(one): offset for one, offset in meta["positions"].items()} == ends
    settings = load_settings(environs[1])
    learner = Learner(settings.learner, 384, settings.learner.seed)
    learner.restore(arrays, meta["learner"])
    assert item_events(learner) == {"i0": 2 * len(USERS), "i1": len(USERS)}, "each click, once"
    told = " ".join(second.said.read_text().split())  # a terminal's lines are wrapped
    assert told.count(f"standby: {learned_by} learns; waiting until it does not") == 1
