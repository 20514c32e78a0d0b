"""What an idle engine takes, and how long `upwell run` takes to its first list.

    python bench/speed/idle.py LOG [--seconds S] [--events N] [--items N] [--repeats N]
        [--cold-kernels] [--qdrant URL]

A repeat starts `upwell run` twice on a fresh data folder, with the broker of its own that it starts:
the first time it is told the items, and both times asked for a list until one has come. Then it is
played the events, and once all is learned it is left alone: processor time and memory of each of its
processes, over so many seconds. Beside it the naive loop, on a broker that runs already: started,
told, asked, played and left alone alike. Qdrant's own share is not in its figures, since the server
may run elsewhere. --cold-kernels: the first start compiles the ranking kernels, as on a new machine.
Medians of the repeats; a table, then one JSON object as the last line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from bench.speed.place import send
from infra.probe import answers
from upwell.client import find_broker
from upwell.errors import BrokerError, UpwellError
from upwell.settings import Settings

START_SECONDS = 600.0
STOP_SECONDS = 60.0
ASK_SECONDS = 0.25
QUERY = "an adventure in space with robots"
Runs = dict[str, list[dict[str, float]]]
screen = Console(stderr=True, width=100)


@contextmanager
def upwell_run(folder: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`upwell run`, ended as by Ctrl-C."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "upwell", "run"],
            env={**os.environ, **environ, "UPWELL_DATA": str(folder)},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def wait(until: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not until():
        if process.poll() is not None or time.monotonic() > deadline:
            raise UpwellError(f"waited in vain for {what}")
        time.sleep(0.02)


def answering(settings: Settings) -> bool:
    """Whether the broker that runs on this data folder is there."""
    try:
        host, _, port = find_broker(settings).partition(":")
    except BrokerError:
        return False
    return answers(host, int(port))


def ask_until_listed(client: dict[str, Any], prefix: str, topic: Lists, alive: Alive) -> None:
    """A person who searches again and again, until a list with items has come."""
    seen, number, asked = topic.drain(), 0, 0.0
    while True:
        if time.monotonic() - asked >= ASK_SECONDS:
            asked, number = time.monotonic(), number + 1
            send(client, prefix, [query(f"{time.time_ns()}")])
        alive()
        topic.drain()
        if any(orjson.loads(one.value or b"{}")["items"] for one in topic.records[seen:]):
            return
        time.sleep(TICK_SECONDS)


def query(event_id: str) -> LogRecord:
    value = {"event_id": event_id, "ts": time.time_ns() // 10**6, "user_id": "ann", "text": QUERY}
    return LogRecord(0, Topic.QUERIES, b"ann", orjson.dumps(value))
