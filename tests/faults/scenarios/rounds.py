"""A federation's server and one of its clients are killed in the midst of rounds: each event is
counted once in what comes of it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tests.faults.scenarios.surroundings import Stage

__all__ = ["CLIENTS", "EVENTS", "ITEMS", "ROUND_KILLS", "Federation", "federation_killed"]

ROUND_KILLS = 2
CLIENTS, ROUNDS, EVENTS, ITEMS = 3, 10, 90, 20
DEADLINE_SECONDS = 300.0
T0 = 1_700_000_000_000


def federation_killed(stage: Stage) -> list[float]:
    """Beside the engine, which is fed as ever."""
    stage.engine.feed(stage.events)
    folder = stage.engine.settings.data / "federation"
    folder.mkdir()
    return Federation(folder).under_kills()


class Federation:
    """Its processes, with what each says in a file of its own."""

    def __init__(self, folder: Path) -> None:
        from tests.encoders.tiny import tiny_model  # each forked worker imports this module

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
            _write_log(folder / f"c{client}.jsonl", client)

    def under_kills(self) -> list[float]:
        """A client is killed within a round, which takes all three, then the server before it is
        back; both are started again, and all rounds are played to their end. The seconds from each
        kill until a round was over again.
        """
        server = self.server()
        clients = [self.client(number) for number in range(CLIENTS)]
        self.until("server", "round 2 of")
        struck = [time.monotonic()]
        clients[2].kill()
        self.until("server", "c2 is gone")
        struck.append(time.monotonic())
        server.kill()
        for one in (server, clients[2]):
            one.wait()
        over = self._rounds_over()
        server, clients[2] = self.server(), self.client(2)
        self._wait(lambda: self._rounds_over() > over, "server")
        recoveries = [time.monotonic() - one for one in struck]
        ended = [one.wait(DEADLINE_SECONDS) for one in (server, *clients)]
        said = [self.said(name).read_text() for name in ("server", "c0", "c1", "c2")]
        assert ended == [0] * (CLIENTS + 1), said
        self._holds()
        return recoveries

    def _holds(self) -> None:
        told = self.told("server")
        assert "goes on after round" in self.said("server").read_text()
        assert (told["rounds"], told["clients"]) == (ROUNDS, ["c0", "c1", "c2"])
        assert told["events"] == CLIENTS * EVENTS, told
        assert told["items"] == ITEMS + CLIENTS
        for client in range(CLIENTS):
            assert self.told(f"c{client}")["events"] == EVENTS

    def server(self) -> subprocess.Popen[bytes]:
        counts = ["--clients", str(CLIENTS), "--rounds", str(ROUNDS), "--listen", self.address]
        return self._start("server", "server", *counts, "--out", str(self.out))

    def client(self, number: int) -> subprocess.Popen[bytes]:
        name = f"c{number}"
        log = str(self.folder / f"{name}.jsonl")
        return self._start(name, "client", log, "--server", self.address, "--name", name)

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "upwell", "federate", *options, "--json"]
        with (self.folder / f"{name}.json").open("wb") as out, self.said(name).open("ab") as said:
            return subprocess.Popen(
                command, stdout=out, stderr=said, env=self._env, cwd=self.folder
            )

    def said(self, name: str) -> Path:
        return self.folder / f"{name}.err"

    def until(self, name: str, words: str) -> None:
        self._wait(lambda: words in self.said(name).read_text(), name)

    def _rounds_over(self) -> int:
        return self.said("server").read_text().count(" is over")

    def _wait(self, holds: Any, name: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.said(name).read_text()
            time.sleep(0.05)

    def told(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_bytes())
        return found


def _write_log(path: Path, client: int) -> None:
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
