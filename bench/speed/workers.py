"""What a second serve worker brings, on one machine: events a second, and processor time an event.

    python bench/speed/workers.py LOG [--events N] [--items N] [--warm N] [--repeats N]
        [--qdrant URL]

A repeat plays the same log to one worker and to two, on topics of their own, users on the Qdrant
server; which comes first changes. Users take turns, as where many are about at once: in the log
itself one rates dozens of films in a row, and a micro-batch would hold few lists. The items and the
first `--warm` events are served and learned, so that lists cost what they cost; then the learner is
stopped, and what is measured is serve alone. Broker, Qdrant and whoever sends share the cores with
the workers, so events a second show what this machine gives. The ratio by processor time is what
workers would do that had a core each: so many times an event's processor time of one worker over
that of several, which says what they lose to each other (smaller micro-batches, the catalogue in
each, caches). Medians of the repeats; a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.speed.figures import medians
from bench.speed.place import Lists, Place, benched, send
from bench.speed.proc import cpu_seconds
from bench.speed.slices import Slice, read_slice
from stream.broker.lag import Lag
from stream.ops.cluster import READY_SECONDS, Cluster, Metrics, running_cluster, settled
from stream.replay.log import LogRecord
from upwell.client import client_options
from upwell.errors import UpwellError
from upwell.events import Topic
from upwell.settings import Settings, load_settings

SIDES = (1, 2)
"""So many workers."""
MOST_SECONDS = 600.0
Runs = dict[int, list[dict[str, float]]]
screen = Console(stderr=True, width=100)


def in_turns(events: Sequence[LogRecord]) -> list[LogRecord]:
    """The first event of each user, then the second ones, and so on."""
    turns: Counter[bytes | None] = Counter()
    placed = []
    for event in events:
        turns[event.key] += 1
        placed.append((turns[event.key], event))
    return [event for _, event in sorted(placed, key=lambda one: one[0])]


def environ_of(place: Place, prefix: str) -> dict[str, str]:
    """What all processes of one side share."""
    return {
        "UPWELL_KAFKA": place.broker,
        "UPWELL_PREFIX": prefix,
        "UPWELL_STORE": "server",
        "UPWELL_QDRANT_URL": place.qdrant,
        "UPWELL_MODELS": str(place.folder / prefix / "models"),
        "UPWELL_KEY": secrets.token_hex(32),
        **place.environ,
    }


@contextmanager
def running(place: Place, environ: dict[str, str], role: str, name: str) -> Iterator[Cluster]:
    """One process of `role` under a supervisor, with a data folder of its own."""
    own = {
        **environ,
        "UPWELL_INSTANCE": name,
        "UPWELL_DATA": str(place.folder / environ["UPWELL_PREFIX"] / name),
    }
    settings = load_settings({**os.environ, **own}, None)
    logs, announce = settings.data / "logs", settings.data / "broker.json"
    with running_cluster(settings, own, logs, announce, lambda words: None, [role]) as cluster:
        yield cluster


def shared(settings: Settings, workers: int) -> bool:
    """Whether so many workers have partitions of the group."""
    admin = KafkaAdminClient(**client_options(settings.kafka))
    try:
        group = f"{settings.kafka.prefix}serve"
        members = admin.describe_groups([group])[group]["members"]
    finally:
        admin.close()
    return len(members) == workers and all(_partitions(member) for member in members)


def _partitions(member: Any) -> int:
    assignment = member["member_assignment"]
    topics = assignment["assigned_partitions"] if assignment else ()
    return sum(len(topic["partitions"]) for topic in topics)


def play(place: Place, prefix: str, workers: int, log: Slice, warm: int) -> dict[str, float]:
    """One side, started and stopped: its figures."""
    environ = environ_of(place, prefix)
    with ExitStack() as stack:
        serving = [
            stack.enter_context(running(place, environ, "serve", f"serve-{number}"))
            for number in range(workers)
        ]
        settings = serving[0].settings
        client = client_options(settings.kafka)
        lag = stack.enter_context(Lag(client, prefix))
        with running(place, environ, "learn", "learner") as learning:
            metrics = Metrics(settings)
            metrics.start()
            try:
                learning.wait(metrics.ready, READY_SECONDS, "the workers to start")
                learning.wait(lambda: shared(settings, workers), READY_SECONDS, "partitions")
                send(client, prefix, log.items)
                send(client, prefix, log.events[:warm])
                learning.wait(lambda: settled(lag, metrics), MOST_SECONDS, "the warming up")
            finally:
                metrics.stop()
        return _measured(serving, client, prefix, lag, in_turns(log.events[warm:]))


def _measured(
    serving: Sequence[Cluster],
    client: dict[str, Any],
    prefix: str,
    lag: Lag,
    events: Sequence[LogRecord],
) -> dict[str, float]:
    pids = [cluster.supervisor.pids["serve"] for cluster in serving]
    lists = Lists(prefix, client, Topic.RECOMMENDATIONS)
    lists.start()
    try:
        before = [cpu_seconds(pid) for pid in pids]
        started = send(client, prefix, events)
        serving[0].wait(lambda: lag.behind() == 0, MOST_SECONDS, "the events to be served")
        spent = [cpu_seconds(pid) - at for pid, at in zip(pids, before, strict=True)]
        count = lists.drain()
        last = max(record.appended_ms for record in lists.records) / 1000
    finally:
        lists.stop()
    return {
        "events_per_s": len(events) / (last - started),
        "cpu_us_per_event": 1e6 * sum(spent) / len(events),
        "share_of_the_least": min(spent) / sum(spent),
        "lists": count,
    }


def measure(place: Place, log: Slice, warm: int, repeats: int) -> Runs:
    runs: Runs = defaultdict(list)
    for repeat in range(repeats):
        for workers in SIDES if repeat % 2 == 0 else reversed(SIDES):
            prefix = f"workers-{os.getpid()}-{repeat}-{workers}."
            runs[workers].append(play(place, prefix, workers, log, warm))
            figures = {name: round(value, 3) for name, value in runs[workers][-1].items()}
            screen.print(f"repeat {repeat + 1}, {workers}: {figures}", highlight=False)
    return runs


def show(result: dict[str, Any]) -> None:
    sides = result["sides"]
    figures = [name for name in sides["1"] if not name.endswith(("_lowest", "_highest"))]
    table = Table(
        "workers",
        *figures,
        title=f"{result['events']} events, {result['items']} items, {result['hardware']}, load "
        f"before {result['load_before']}; ratio {result['ratio']}, by processor time "
        f"{result['ratio_by_cpu']}",
    )
    for workers, side in sides.items():
        table.add_row(workers, *(_cell(side, name) for name in figures))
    screen.print(table)


def _cell(side: Mapping[str, float], name: str) -> str:
    return f"{side[name]:,.4g} ({side[name + '_lowest']:,.4g} to {side[name + '_highest']:,.4g})"


def result_of(arguments: argparse.Namespace, log: Slice, runs: Runs, before: float) -> Any:
    one, most = (medians(runs[workers]) for workers in SIDES)
    return {
        "log": str(arguments.log),
        "events": len(log.events) - arguments.warm,
        "warm": arguments.warm,
        "items": len(log.items),
        "repeats": arguments.repeats,
        "hardware": hardware(),
        "load_before": before,
        "sides": {str(SIDES[0]): one, str(SIDES[1]): most},
        "ratio": round(most["events_per_s"] / one["events_per_s"], 2),
        "ratio_by_cpu": round(SIDES[1] * one["cpu_us_per_event"] / most["cpu_us_per_event"], 2),
    }


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, default=8_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--warm", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--qdrant", default=os.environ.get("UPWELL_TEST_QDRANT_URL"))
    return parser.parse_args(arguments)


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    tracked = BenchRun(__file__, arguments, arguments.log)
    try:
        log = read_slice(arguments.log, arguments.warm + arguments.events, arguments.items)
        with benched(arguments.qdrant, {}) as place:
            runs = measure(place, log, arguments.warm, arguments.repeats)
    except UpwellError as exc:
        raise SystemExit(f"bench/speed/workers.py: {exc}") from exc
    result = result_of(arguments, log, runs, before)
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
