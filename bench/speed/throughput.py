"""Events a second of the whole engine on a real Kafka, beside the naive loop on the same broker and
events; and items a second of the catalogue announced, beside sentence-transformers alone.

    python bench/speed/throughput.py LOG [--events N] [--items N] [--repeats N] [--qdrant URL]

A repeat starts each side on topics of its own, announces the items, plays the events as fast as the
broker takes them, and stops the side; who goes first changes. Upwell's events a second are from
before the first record is sent until all is served and learned, which is seen up to 1.5 s late, so
a short slice is to its disadvantage; those of the naive loop until its last list. Lists a second:
until the last list of each side; Upwell makes one for each user whom a micro-batch touched, the
naive loop one an event. Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.peers.naive import Encode, item_text, sentence_encoder
from bench.results.bench_run import BenchRun
from bench.speed.figures import medians
from bench.speed.place import Place, benched
from bench.speed.sides import Naive, Side, UpwellSide
from bench.speed.slices import Slice, read_slice
from upwell.errors import UpwellError

ALONE = "sentence-transformers alone"
Runs = dict[str, list[dict[str, float]]]
screen = Console(stderr=True, width=100)


def run_side(side: Side, log: Slice) -> dict[str, float]:
    """One side, started and stopped: its figures."""
    began = time.monotonic()
    with side:
        started_s = time.monotonic() - began
        announced_s = side.announce(log.items)
        played = side.play(log.events)
    return {
        "events_per_s": played.events / played.done_s,
        "events_listed_per_s": played.events / played.listed_s,
        "lists_per_s": played.lists / played.listed_s,
        "items_per_s": len(log.items) / announced_s,
        "start_s": started_s,
    }


def alone(encode: Encode, log: Slice) -> dict[str, float]:
    texts = [item_text(orjson.loads(item.value)) for item in log.items]
    started = time.monotonic()
    encode(texts)
    return {"items_per_s": len(texts) / (time.monotonic() - started)}


def naive_run(place: Place, prefix: str, log: Slice) -> dict[str, float]:
    side = Naive(place, prefix)
    try:
        return run_side(side, log)
    finally:
        side.forget()


def measure(place: Place, log: Slice, repeats: int) -> tuple[Runs, str]:
    encode, version = sentence_encoder()
    sides: dict[str, Callable[[int], dict[str, float]]] = {
        UpwellSide.name: lambda n: run_side(UpwellSide(place, f"upwell-{n}."), log),
        Naive.name: lambda n: naive_run(place, f"naive-{os.getpid()}-{n}.", log),
        ALONE: lambda n: alone(encode, log),
    }
    runs: Runs = defaultdict(list)
    for repeat in range(repeats):
        for name in list(sides) if repeat % 2 == 0 else list(reversed(sides)):
            runs[name].append(sides[name](repeat))
            figures = {figure: round(value, 1) for figure, value in runs[name][-1].items()}
            screen.print(f"repeat {repeat + 1}, {name}: {figures}", highlight=False)
    return runs, version


def show(result: dict[str, Any]) -> None:
    columns = ("events_per_s", "lists_per_s", "items_per_s")
    table = Table(
        "median (lowest to highest)",
        *(column.replace("_per_s", " a second") for column in columns),
        title=f"{result['events']} events, {result['items']} items, {result['hardware']}, load "
        f"before {result['load_before']}",
    )
    for name, figures in result["sides"].items():
        cells = (
            f"{figures[column]:,.0f} ({figures[column + '_lowest']:,.0f} to "
            f"{figures[column + '_highest']:,.0f})"
            if column in figures
            else ""
            for column in columns
        )
        table.add_row(name, *cells)
    screen.print(table)


def result_of(
    arguments: argparse.Namespace, log: Slice, runs: Runs, before: float, version: str
) -> dict[str, Any]:
    sides = {name: medians(figures) for name, figures in runs.items()}
    ours, naive = sides[UpwellSide.name], sides[Naive.name]
    return {
        "log": str(arguments.log),
        "events": len(log.events),
        "items": len(log.items),
        "repeats": arguments.repeats,
        "test_sample": arguments.test_sample,
        "hardware": hardware(),
        "load_before": before,
        "sentence_transformers": version,
        "sides": sides,
        "events_ratio": round(ours["events_per_s"] / naive["events_per_s"], 2),
        "items_ratio": round(ours["items_per_s"] / sides[ALONE]["items_per_s"], 2),
    }


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--qdrant", default=os.environ.get("UPWELL_TEST_QDRANT_URL"))
    parser.add_argument(
        "--test-sample", type=float, default=0.25, help="UPWELL_TEST_SAMPLE, as in the demo"
    )
    return parser.parse_args(arguments)


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    tracked = BenchRun(__file__, arguments, arguments.log)
    try:
        log = read_slice(arguments.log, arguments.events, arguments.items)
        environ = {"UPWELL_TEST_SAMPLE": str(arguments.test_sample)}
        with benched(arguments.qdrant, environ) as place:
            runs, version = measure(place, log, arguments.repeats)
    except UpwellError as exc:
        raise SystemExit(f"bench/speed/throughput.py: {exc}") from exc
    result = result_of(arguments, log, runs, before, version)
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
