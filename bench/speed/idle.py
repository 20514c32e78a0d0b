"""What an idle engine takes, and how long `upwell run` takes to its first list.

    python bench/speed/idle.py LOG [--seconds S] [--events N] [--items N] [--repeats N]
        [--cold-kernels] [--qdrant URL]

A repeat starts `upwell run`, with the broker that it starts by itself, twice on a fresh data
folder: the first time it is told the items, and both times asked for a list until one has come.
Then it is played the events, and once all is learned it is left alone: processor time and memory of
each of its processes, over so many seconds. Beside it the naive loop on a broker that runs already,
started, told, asked, played and left alone alike; Qdrant's own share is not in its figures.
--cold-kernels: the first start compiles the ranking kernels, as on a new machine. Medians of the
repeats; a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.speed.figures import medians
from bench.speed.place import Lists, Place, benched, send
from bench.speed.proc import cpu_shares, memory_mb, tree
from bench.speed.sides import Naive
from bench.speed.slices import Slice, read_slice
from infra.probe import answers
from stream.broker.lag import Lag
from stream.broker.topics import ensure_topics
from stream.ops.cluster import Metrics, settled
from stream.replay.log import LogRecord
from upwell.client import client_options, find_broker
from upwell.errors import BrokerError, UpwellError
from upwell.events import Topic
from upwell.settings import Settings, load_settings

WAIT_SECONDS = 600.0
STOP_SECONDS = 60.0
TICK_SECONDS = 0.02
ASK_SECONDS = 0.25
QUIET_SECONDS = 5.0
QUERY = "an adventure in space with robots"
Runs = dict[str, list[dict[str, float]]]
screen = Console(stderr=True, width=100)


@contextmanager
def upwell_run(folder: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`upwell run`, ended in order."""
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


def wait(until: Callable[[], bool], what: str, tick: float = TICK_SECONDS) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise UpwellError(f"waited {WAIT_SECONDS:.0f} s in vain for {what}")
        time.sleep(tick)


def answering(settings: Settings) -> bool:
    """Whether the broker that runs on this data folder is there."""
    try:
        host, _, port = find_broker(settings).partition(":")
    except BrokerError:
        return False
    return answers(host, int(port))


def ask_until_listed(client: dict[str, Any], prefix: str) -> None:
    """As a person who searches again and again, until a list with items has come."""
    lists, asked = Lists(prefix, client, Topic.RECOMMENDATIONS), 0.0
    lists.start()

    def listed() -> bool:
        nonlocal asked
        if time.monotonic() - asked >= ASK_SECONDS:
            asked = time.monotonic()
            send(client, prefix, [query()])
        lists.drain()
        return any(orjson.loads(one.value or b"{}")["items"] for one in lists.records)

    try:
        wait(listed, "a first list")
    finally:
        lists.stop()


def query() -> LogRecord:
    ns = time.time_ns()
    value = {"event_id": f"q{ns}", "ts": ns // 10**6, "user_id": "ann", "text": QUERY}
    return LogRecord(0, Topic.QUERIES, b"ann", orjson.dumps(value))


def role_of(command: Sequence[str]) -> str:
    """Of a process below `upwell run`, by its command line: run, serve, learn, broker, or the
    guardian that ends the broker with its parent.
    """
    if any(part.endswith("guardian.py") for part in command):
        return "guardian"
    if command and command[0].endswith("java"):
        return "broker"
    return next((part for part in command if part in {"run", "serve", "learn"}), "other")


def taken(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """By role: per cent of a core, and memory in MB."""
    time.sleep(QUIET_SECONDS)
    figures = {f"{name} cpu_percent": share for name, share in cpu_shares(pids, seconds).items()}
    for name, pid in pids.items():
        figures |= {f"{name} {kind.lower()}_mb": mb for kind, mb in memory_mb(pid).items()}
    return figures


def upwell_once(
    place: Place, number: int, log: Slice, seconds: float, cold: bool
) -> dict[str, float]:
    """Both starts, then idle."""
    folder = place.folder / f"run-{number}"
    folder.mkdir()
    environ = {"NUMBA_CACHE_DIR": str(folder / "kernels")} if cold else {}
    figures = {}
    for name in ("first_start_s", "second_start_s"):
        began = time.monotonic()
        with upwell_run(folder, environ) as process:
            settings = load_settings({"UPWELL_DATA": str(folder)})
            wait(lambda: answering(settings), f"a broker; see {folder}/run.log")  # noqa: B023
            settings = load_settings(
                {"UPWELL_DATA": str(folder), "UPWELL_KAFKA": find_broker(settings)}
            )
            client, prefix = client_options(settings.kafka), settings.kafka.prefix
            ensure_topics(prefix, settings.kafka.partitions, client)
            if name == "first_start_s":
                send(client, prefix, log.items)
            ask_until_listed(client, prefix)
            figures[name] = time.monotonic() - began
            if name == "second_start_s":
                play(settings, log.events)
                pids = {role_of(command): pid for pid, command in tree(process.pid).items()}
                figures |= taken(pids, seconds)
    return figures


def play(settings: Settings, events: Sequence[LogRecord]) -> None:
    """Until all is served and learned."""
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    metrics = Metrics(settings)
    metrics.start()
    try:
        send(client, prefix, events)
        with Lag(client, prefix) as lag:
            wait(lambda: settled(lag, metrics), "events to be served and learned", 0.25)
    finally:
        metrics.stop()


def naive_once(place: Place, number: int, log: Slice, seconds: float) -> dict[str, float]:
    side = Naive(place, f"naive-{os.getpid()}-{number}.")
    figures = {}
    try:
        for name in ("first_start_s", "second_start_s"):
            began = time.monotonic()
            with side:
                if name == "first_start_s":
                    side.announce(log.items)
                ask_until_listed(side.client, side.prefix)
                figures[name] = time.monotonic() - began
                if name == "second_start_s":
                    send(side.client, side.prefix, log.events)
                    wait(lambda: _idle(side.pid), "the naive loop to have done", 1.0)
                    figures |= taken({"naive": side.pid}, seconds)
    finally:
        side.forget()
    return figures


def _idle(pid: int) -> bool:
    return cpu_shares({"it": pid}, 1.0)["it"] < 20.0


def show(result: dict[str, Any]) -> None:
    table = Table(
        "median (lowest to highest)",
        "",
        title=f"idle {result['seconds']:g} s after {result['events']} events, {result['items']} "
        f"items, {result['hardware']}, load before {result['load_before']}",
    )
    for side, figures in result["sides"].items():
        for name, value in figures.items():
            if not name.endswith(("_lowest", "_highest")):
                low, high = figures[f"{name}_lowest"], figures[f"{name}_highest"]
                table.add_row(f"{side}: {name}", f"{value:,.1f} ({low:,.1f} to {high:,.1f})")
    screen.print(table)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0, help="of being left alone")
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cold-kernels", action="store_true")
    parser.add_argument("--qdrant", default=os.environ.get("UPWELL_TEST_QDRANT_URL"))
    return parser.parse_args(arguments)


def measure(arguments: argparse.Namespace, log: Slice) -> Runs:
    runs: Runs = defaultdict(list)
    with benched(arguments.qdrant, {}) as place:
        sides: dict[str, Callable[[int], dict[str, float]]] = {
            "upwell": lambda n: upwell_once(
                place, n, log, arguments.seconds, arguments.cold_kernels
            ),
            Naive.name: lambda n: naive_once(place, n, log, arguments.seconds),
        }
        for repeat in range(arguments.repeats):
            for name in list(sides) if repeat % 2 == 0 else list(reversed(sides)):
                runs[name].append(sides[name](repeat))
                screen.print(f"repeat {repeat + 1}, {name}: {runs[name][-1]}", highlight=False)
    return runs


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    tracked = BenchRun(__file__, arguments, arguments.log)
    try:
        log = read_slice(arguments.log, arguments.events, arguments.items)
        runs = measure(arguments, log)
    except UpwellError as exc:
        raise SystemExit(f"bench/speed/idle.py: {exc}") from exc
    result = {
        "log": str(arguments.log),
        "seconds": arguments.seconds,
        "events": len(log.events),
        "items": len(log.items),
        "repeats": arguments.repeats,
        "cold_kernels": arguments.cold_kernels,
        "hardware": hardware(),
        "load_before": before,
        "sides": {name: medians(figures) for name, figures in runs.items()},
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
