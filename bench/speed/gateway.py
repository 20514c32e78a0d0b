"""Reads a second of the gateway on one core: `GET /v1/users/{id}/list` of users drawn by lot, their
lists read from a real broker, beside a bare Starlette application that answers the same bytes.

    python bench/speed/gateway.py [--users 5000] [--seconds S] [--rate 1000] [--repeats N]

Each side is one process held to the first core, behind the same server (uvicorn, httptools,
uvloop); the load comes from this process, held to the second. What the bare application answers is
one constant: no token, no limit, no user; nothing that does more can be faster on this server.
Closed loop: 16 connections, each asks when it has its answer. Open loop: requests are due at a
fixed rate, an answer's latency runs from then. Who goes first changes with each repeat; percentiles
are of a repeat, then the median of the repeats counts. Prints a table, then one JSON object as the
last line.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
from kafka import KafkaProducer
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.speed.figures import due_times, medians, percentiles
from bench.speed.http_load import closed_loop, open_loop, request_bytes
from infra.kafka import KafkaBroker
from learner.ranking.names import SIGNALS
from stream.broker.topics import ensure_topics
from upwell.codec import recommendations_value
from upwell.events import Topic
from upwell.recommendations import Entry, Reason, Recommendations

PREFIX = "upwell."
TOKEN = "bench-token-of-sixteen"  # noqa: S105 (of a gateway that lives for a minute)
CONNECTIONS = 16
PARTITIONS = 4
READY_SECONDS = 120.0
WARM_UP_SECONDS = 1.0
SERVER_CORE, LOAD_CORE = 0, 1
LISTENS = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")
BARE = """
import asyncio, sys, uvloop
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from gateway.run import listening_socket, server_of
answer = Path(sys.argv[1]).read_bytes()
async def constant(request):
    return Response(answer, media_type="application/json")
app = Starlette(routes=[Route("/v1/users/{user_id:path}/list", constant)])
with listening_socket("127.0.0.1", 0) as listening:
    print(f"listens on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvloop.run(server_of(app).serve([listening]))
"""
screen = Console(stderr=True, width=100)


def a_list(user_id: str, random: Random) -> bytes:
    """Ten entries with eight reasons each, as serve publishes them; all of one size."""
    items = tuple(
        Entry(
            item_id=f"{random.randrange(10_000):05}",
            score=random.random(),
            title=f"A title of common length ({random.randrange(1_900, 2_000)})",
            reasons=tuple(
                Reason(signal=name, weight=random.random(), because="Another title (1999)")
                for name in random.sample(SIGNALS, 8)
            ),
        )
        for _ in range(10)
    )
    return recommendations_value(
        Recommendations(
            list_id=f"{random.getrandbits(128):032x}",
            user_id=user_id,
            items=items,
            model_version="100000-abcdef01",
            trigger=f"{random.getrandbits(128):032x}",
            covers={"clicks-0": 100_000},
            ts=1_700_000_000_000,
            latency_ms=20,
        )
    )


def publish(address: str, lists: Mapping[str, bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    for user_id, value in lists.items():
        producer.send(PREFIX + Topic.RECOMMENDATIONS, key=user_id.encode(), value=value)
    producer.close()


@contextmanager
def held_to(core: int) -> Iterator[None]:
    """What is started inside, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def side(command: Sequence[str], environ: Mapping[str, str], said: Path) -> Iterator[int]:
    """A server on one core; its port once it is ready."""
    with held_to(SERVER_CORE), said.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environ}, stdout=output, stderr=output
        )
    try:
        yield _ready_port(process, said)
    finally:
        process.terminate()
        process.wait()


def _ready_port(process: subprocess.Popen[bytes], said: Path) -> int:
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        found = LISTENS.search(said.read_text())
        if found is not None:
            address = f"http://127.0.0.1:{found[1]}"
            if httpx.get(f"{address}/readyz", timeout=10.0).status_code in (200, 404):
                return int(found[1])
        time.sleep(0.1)
    raise SystemExit(f"bench/speed/gateway.py: a side did not start: {said.read_text()[-500:]}")


def measure(arguments: argparse.Namespace, lists: Mapping[str, bytes], folder: Path) -> Any:
    constant = folder / "answer"
    constant.write_bytes(next(iter(lists.values())))
    with ExitStack() as stack:
        broker = stack.enter_context(KafkaBroker(folder / "kafka"))
        ensure_topics(PREFIX, PARTITIONS, {"bootstrap_servers": broker.address})
        publish(broker.address, lists)
        environ = {
            "UPWELL_KAFKA": broker.address,
            "UPWELL_DATA": str(folder),
            "UPWELL_GATEWAY_APP_TOKEN": TOKEN,
            "UPWELL_GATEWAY_RATE": "0",
        }
        serve = [sys.executable, "-P", "-m", "upwell", "serve", "--port", "0"]
        ports = {
            "gateway": stack.enter_context(side(serve, environ, folder / "gateway.log")),
            "bare Starlette, a constant": stack.enter_context(
                side([sys.executable, "-c", BARE, str(constant)], {}, folder / "bare.log")
            ),
        }
        stack.enter_context(held_to(LOAD_CORE))
        return _repeats(arguments, ports, list(lists))


def _repeats(
    arguments: argparse.Namespace, ports: Mapping[str, int], users: Sequence[str]
) -> dict[str, list[dict[str, float]]]:
    random = Random(arguments.seed)
    runs: dict[str, list[dict[str, float]]] = defaultdict(list)
    for repeat in range(arguments.repeats):
        requests = [
            request_bytes(f"/v1/users/{user}/list", TOKEN)
            for user in random.sample(users, len(users))
        ]
        order = list(ports) if repeat % 2 == 0 else list(ports)[::-1]
        for name in order:
            port = ports[name]
            closed_loop(port, requests, CONNECTIONS, WARM_UP_SECONDS)
            rate, closed = closed_loop(port, requests, CONNECTIONS, arguments.seconds)
            due = due_times(round(arguments.rate * arguments.seconds), arguments.rate)
            steady = open_loop(port, requests, CONNECTIONS, due)
            figures = {"reads_per_s": round(rate, 1)}
            figures |= {f"full_{key}_ms": one for key, one in percentiles(closed).items()}
            figures |= {f"steady_{key}_ms": one for key, one in percentiles(steady).items()}
            runs[name].append(figures)
            screen.print(f"repeat {repeat + 1}, {name}: {figures}", highlight=False)
    return runs


def show(result: dict[str, Any]) -> None:
    steady = f"at {result['rate']:g}/s, ms"
    table = Table(
        "median (lowest to highest)",
        "reads/s",
        "p99 at that, ms",
        f"p50 {steady}",
        f"p99 {steady}",
        title=f"{result['users']} users, lists of {result['list_bytes']:,} bytes, "
        f"{result['hardware']}, load before {result['load_before']}",
    )
    for name, figures in result["sides"].items():
        cells = (
            f"{figures[column]:,.1f} ({figures[column + '_lowest']:,.1f} to "
            f"{figures[column + '_highest']:,.1f})"
            for column in ("reads_per_s", "full_p99_ms", "steady_p50_ms", "steady_p99_ms")
        )
        table.add_row(name, *cells)
    screen.print(table)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=1_000.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(arguments)


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    tracked = BenchRun(__file__, arguments)
    random = Random(arguments.seed)
    lists = {f"u{number}": a_list(f"u{number}", random) for number in range(arguments.users)}
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(arguments, lists, Path(folder))
    result = {
        "users": arguments.users,
        "list_bytes": len(next(iter(lists.values()))),
        "seconds": arguments.seconds,
        "rate": arguments.rate,
        "repeats": arguments.repeats,
        "connections": CONNECTIONS,
        "seed": arguments.seed,
        "hardware": hardware(),
        "load_before": before,
        "sides": {name: medians(figures) for name, figures in runs.items()},
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
