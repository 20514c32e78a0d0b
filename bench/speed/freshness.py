"""From click to list at a steady rate, in an open loop: p50 and p99 of Upwell and the naive loop.

    python bench/speed/freshness.py LOG [--rates 100 200] [--seconds S] [--repeats N]
        [--texts 0.1] [--announce 10000] [--only SIDE] [--qdrant URL]

When each event is to be sent is fixed beforehand, and an event's latency runs from then, sent late
or not, until the broker has the first list of its user that knows it: who is too slow is not spared
the events that wait. A repeat starts each side anew on the catalogue and the users that it has,
plays events to warm it up, then each rate on events that it has not seen; who goes first changes.
--texts: a share of the events says 60 tokens that nobody said before. --announce: so many new items
are announced when the steady events begin. --only upwell: without the naive loop, and without the
Qdrant server that it needs. Percentiles are of a repeat's events, then the median of the repeats
counts. Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaProducer
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.speed.figures import Sent, due_times, latencies, medians, percentiles
from bench.speed.place import benched, placed
from bench.speed.sides import Naive, Side, UpwellSide
from bench.speed.slices import Slice, bulk_items, passes, read_slice, whole_words, with_texts
from encoders.folder import DEFAULT_MODEL, find_model
from stream.replay.log import LogRecord
from upwell.errors import UpwellError

WARM_UP_EVENTS = 500
TEXT_TOKENS = 60
SEND_SECONDS = 60.0
Runs = dict[str, list[dict[str, float]]]
screen = Console(stderr=True, width=100)


def send_on_time(side: Side, events: Sequence[LogRecord], rate: float) -> list[Sent]:
    """Send each when it is due, whatever has become of those before; where each stands."""
    producer = KafkaProducer(acks="all", **side.client)
    try:
        producer.partitions_for(
            side.prefix + events[0].topic
        )  # so that the first waits for nothing
        began_ms, began = 1000 * time.time(), time.monotonic()
        pending = []
        due = due_times(len(events), rate)
        for event, due_s in zip(events, due, strict=True):
            if (left := began + due_s - time.monotonic()) > 0:
                time.sleep(left)
            pending.append(
                producer.send(side.prefix + event.topic, key=event.key, value=event.value)
            )
        placed = [future.get(timeout=SEND_SECONDS) for future in pending]
    finally:
        producer.close()
    return [
        _sent(event, f"{event.topic}-{at.partition}", at.offset, began_ms + 1000 * due_s)
        for event, at, due_s in zip(events, placed, due, strict=True)
    ]


def _sent(event: LogRecord, source: str, offset: int, due_ms: float) -> Sent:
    value = orjson.loads(event.value)
    return Sent(value["event_id"], value["user_id"], source, offset, due_ms)


def steady(
    side: Side, events: Sequence[LogRecord], rate: float, bulk: Sequence[LogRecord]
) -> dict[str, float]:
    """One rate: the latencies' percentiles in ms, and how long the announcing took beside it."""
    with ThreadPoolExecutor(1) as pool:
        announcing = pool.submit(side.announce, bulk) if bulk else None
        sent = send_on_time(side, events, rate)
        found, unanswered = latencies(sent, side.answers(sent))
        figures = {**percentiles(found), "unanswered": float(unanswered)}
        if announcing is not None:
            figures["bulk_items_per_s"] = len(bulk) / announcing.result()
    return figures


@dataclass(frozen=True, slots=True)
class Turn:
    """What each side is given in one repeat. steady, bulks: by rate."""

    items: Sequence[LogRecord]
    warm: Sequence[LogRecord]
    steady: Mapping[float, Sequence[LogRecord]]
    bulks: Mapping[float, Sequence[LogRecord]]


def run_side(side: Side, turn: Turn) -> dict[float, dict[str, float]]:
    """One start of a side: the figures of each rate."""
    with side:
        if turn.items:
            side.announce(turn.items)
        side.play(turn.warm)
        return {
            rate: steady(side, events, rate, turn.bulks[rate])
            for rate, events in turn.steady.items()
        }


def turns(arguments: argparse.Namespace, log: Slice) -> Iterator[Turn]:
    """One a repeat; the first brings the catalogue. No event and no bulk item comes twice."""
    known = whole_words(find_model(DEFAULT_MODEL) / "vocab.txt")
    events = with_texts(log.events, arguments.texts, TEXT_TOKENS, known, arguments.seed)
    counts = _counts(arguments)
    cuts = passes(events, _each(arguments), arguments.repeats)
    for repeat, cut in enumerate(cuts):
        rest = iter(cut)
        warm = list(islice(rest, WARM_UP_EVENTS))
        steady = {rate: list(islice(rest, count)) for rate, count in counts.items()}
        bulks = {
            rate: list(bulk_items(arguments.announce, known, repeat * len(counts) + number))
            for number, rate in enumerate(counts)
        }
        yield Turn(log.items if repeat == 0 else (), warm, steady, bulks)


def measure(arguments: argparse.Namespace, log: Slice) -> Runs:
    runs: Runs = defaultdict(list)
    with sides_of(arguments) as sides:
        for repeat, turn in enumerate(turns(arguments, log)):
            for side in sides if repeat % 2 == 0 else reversed(sides):
                found = run_side(side, turn)
                for rate, figures in found.items():
                    runs[f"{side.name} at {rate:g}/s"].append(figures)
                screen.print(f"repeat {repeat + 1}, {side.name}: {found}", highlight=False)
    return runs


@contextmanager
def sides_of(arguments: argparse.Namespace) -> Iterator[Sequence[Side]]:
    """Both on a broker of their own, or the one that is asked for."""
    if arguments.only == UpwellSide.name:
        with placed("", {}) as place:
            yield [UpwellSide(place, "upwell.")]
        return
    with benched(arguments.qdrant, {}) as place:
        naive = Naive(place, f"naive-{os.getpid()}.")
        try:
            yield [naive] if arguments.only else [UpwellSide(place, "upwell."), naive]
        finally:
            naive.forget()


def _each(arguments: argparse.Namespace) -> int:
    """Events of a repeat."""
    return WARM_UP_EVENTS + sum(_counts(arguments).values())


def _counts(arguments: argparse.Namespace) -> dict[float, int]:
    """Events at each rate."""
    return {rate: round(rate * arguments.seconds) for rate in arguments.rates}


def show(result: dict[str, Any]) -> None:
    table = Table(
        "median (lowest to highest)",
        "p50, ms",
        "p99, ms",
        "without a list",
        title=f"{result['seconds']:g} s each, {result['items']} items, {result['hardware']}, load "
        f"before {result['load_before']}",
    )
    for name, figures in result["sides"].items():
        cells = (
            f"{figures[column]:,.0f} ({figures[column + '_lowest']:,.0f} to "
            f"{figures[column + '_highest']:,.0f})"
            for column in ("p50", "p99")
        )
        table.add_row(name, *cells, f"{figures['unanswered_highest']:g}")
    screen.print(table)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--rates", type=float, nargs="+", default=[100.0, 200.0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--texts", type=float, default=0.0, help="a share of the events")
    parser.add_argument("--announce", type=int, default=0, help="items, at each rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", choices=[UpwellSide.name, Naive.name])
    parser.add_argument("--qdrant", default=os.environ.get("UPWELL_TEST_QDRANT_URL"))
    return parser.parse_args(arguments)


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    tracked = BenchRun(__file__, arguments, arguments.log)
    try:
        log = read_slice(arguments.log, arguments.repeats * _each(arguments), arguments.items)
        runs = measure(arguments, log)
    except (UpwellError, ValueError) as exc:
        raise SystemExit(f"bench/speed/freshness.py: {exc}") from exc
    result = {
        "log": str(arguments.log),
        "items": len(log.items),
        "seconds": arguments.seconds,
        "repeats": arguments.repeats,
        "share_with_texts": arguments.texts,
        "announced_meanwhile": arguments.announce,
        "seed": arguments.seed,
        "hardware": hardware(),
        "load_before": before,
        "sides": {name: medians(figures) for name, figures in runs.items()},
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
