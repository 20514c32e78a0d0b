"""Federated learning as it is run: processes and sockets, where the server and a client are killed
in the midst of it, and one who does not fit comes by.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from learner.release.checkpoint import latest, load
from learner.release.folder import LocalFolder
from learner.release.guard import Guard
from learner.release.replica import Replica
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.federate.cell import ClientCell, Tls
from stream.ops.commands.manual import MANUAL
from tests.encoders.tiny import tiny_model
from upwell.ports import RankRequest
from upwell.settings import Settings
from upwell.values import CatalogueItem, UserState

CLIENTS, ROUNDS, EVENTS, ITEMS = 3, 10, 90, 20
T0 = 1_700_000_000_000
DIMENSION = 32


def write_log(path: Path, client: int) -> None:
    """Each has items that the others have not."""
    rng = np.random.default_rng(client)
    own = [f"i{one}" for one in range(ITEMS)] + [f"é-{client}"]
    lines: list[dict[str, Any]] = [
        {"topic": "items", "key": one, "value": {"item_id": one, "ts": T0, "title": f"Film {one}"}}
        for one in own
    ]
    for number in range(EVENTS):
        user, item = f"u{client}-{rng.integers(9)}", own[int(len(own) * rng.random() ** 2)]
        value = {"event_id": f"{client}-{number}", "ts": T0 + number, "user_id": user}
        value |= {"item_id": item, "rating": float(rng.integers(1, 6))}
        lines.append({"topic": "reviews", "key": user, "value": value})
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))


class Federation:
    """Its processes, with what each says in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "models"
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._env = os.environ | {
            "UPWELL_ENCODER": str(tiny_model(folder / "tiny")),
            "UPWELL_ENCODER_ENGINE": "torch",
            "OMP_NUM_THREADS": "1",
        }
        for client in range(CLIENTS):
            write_log(folder / f"c{client}.jsonl", client)

    def start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "upwell", "federate", *options, "--json"]
        with (self.folder / f"{name}.json").open("wb") as out, self.said(name).open("ab") as said:
            return subprocess.Popen(
                command, stdout=out, stderr=said, env=self._env, cwd=self.folder
            )

    def server(self) -> subprocess.Popen[bytes]:
        counts = ["--clients", str(CLIENTS), "--rounds", str(ROUNDS), "--listen", self.address]
        return self.start("server", "server", *counts, "--out", str(self.out))

    def client(self, number: int) -> subprocess.Popen[bytes]:
        name = f"c{number}"
        log = str(self.folder / f"{name}.jsonl")
        return self.start(name, "client", log, "--server", self.address, "--name", name)

    def said(self, name: str) -> Path:
        return self.folder / f"{name}.err"

    def until(self, name: str, words: str) -> None:
        deadline = time.monotonic() + 300
        while words not in self.said(name).read_text():
            assert time.monotonic() < deadline, self.said(name).read_text()
            time.sleep(0.05)

    def told(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_bytes())
        return found


@pytest.mark.timeout(900)
def test_a_server_and_a_client_are_killed_in_a_round_and_nothing_is_lost_or_twice(
    tmp_path: Path,
) -> None:
    federation = Federation(tmp_path)
    server = federation.server()
    clients = [federation.client(number) for number in range(CLIENTS)]
    federation.until("server", "round 2 of")
    clients[2].send_signal(signal.SIGKILL)
    federation.until("server", "c2 is gone")
    server.send_signal(signal.SIGKILL)
    server.wait()
    clients[2].wait()
    server, clients[2] = federation.server(), federation.client(2)
    assert [one.wait(300) for one in (server, *clients)] == [0] * (CLIENTS + 1), [
        federation.said(name).read_text() for name in ("server", "c0", "c1", "c2")
    ]
    told = federation.told("server")
    assert "goes on after round" in federation.said("server").read_text()
    assert (told["rounds"], told["clients"]) == (ROUNDS, ["c0", "c1", "c2"])
    assert told["events"] == CLIENTS * EVENTS
    assert told["items"] == ITEMS + CLIENTS
    assert list(told) == list(MANUAL["federate server"].fields)
    assert list(federation.told("c0")) == list(MANUAL["federate client"].fields)
    assert federation.told("c0")["events"] == EVENTS
    assert federation.told("c2")["targets"]["all"] > 0
    assert_an_engine_starts_from(federation.out)


def assert_an_engine_starts_from(folder: Path) -> None:
    """What learn and serve do with their newest checkpoint."""
    models, settings = LocalFolder(folder), Settings().learner
    newest = latest(models)
    assert newest is not None
    arrays, meta = load(models, newest.name)
    learner, replica = Learner(settings, DIMENSION, 1), Replica(settings, DIMENSION)
    vectors = np.eye(DIMENSION, dtype=np.float32)
    items = [
        CatalogueItem(item_id=f"i{one}", ts=0, title="t", vector=vectors[one], revision="r")
        for one in range(ITEMS)
    ]
    learner.restore(arrays, meta["learner"])
    learner.add_items(items)
    promotion = Promotion(learner, Guard())
    promotion.restore(arrays)
    replica.restore(arrays, meta["learner"])
    replica.add_items(items)
    assert meta["version"] == promotion.version == learner.version == replica.version
    (entries,) = replica.rank(
        [RankRequest(state=UserState("new", np.zeros(DIMENSION, np.float32)), k=5)]
    )
    assert len({one.item_id for one in entries} & {item.item_id for item in items}) == 5
    assert all(one.reasons for one in entries)  # a new user's, by what others did
    assert {one for one in meta["learner"]["items"] if one.startswith("é")} == {
        f"é-{one}" for one in range(CLIENTS)
    }


def test_bytes_of_a_stranger_are_refused(tmp_path: Path) -> None:
    federation = Federation(tmp_path)
    server = federation.server()
    try:
        federation.until("server", "listens on")
        with closing(ClientCell(federation.address, "stranger", Tls())) as cell:
            reply = b""
            deadline = time.monotonic() + 60
            while not reply and time.monotonic() < deadline:
                try:
                    reply = cell.ask("report", b"\x80\x04pickle", 5.0)
                except Exception:  # it does not listen yet
                    time.sleep(0.1)
        assert b"cannot be read" in reply
    finally:
        server.kill()
        server.wait()
