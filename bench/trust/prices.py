"""What parts of trust take of a running engine: events a second, and processor time an event, with
each part and without any.

    python -m bench.trust.prices LOG [--events N] [--items N] [--repeats N] [--only PART …]

Each round starts the engine once without any part and once with each, on a real Kafka and topics of
its own, announces the items (their vectors come from disk after the first time), plays the events
as fast as the broker takes them and waits until all is served and learned; the order turns round
from one round to the next. A ratio is of one round, its part by its without. Processor time is of
serve and learn together: it says more than events a second where other work runs beside. Spans go
to a collector in this process. Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.speed.figures import medians
from bench.speed.idle import role_of
from bench.speed.place import Place, placed, send
from bench.speed.proc import cpu_seconds, tree
from bench.speed.sides import UpwellSide
from bench.speed.slices import Slice, read_slice, whole_words
from encoders.folder import find_model
from stream.replay.log import LogRecord
from upwell.errors import UpwellError
from upwell.events import Topic

__all__ = ["PARTS", "Part", "compared", "overrides", "policy"]

WITHOUT = "without any"
ROLES = ("serve", "learn")
TERMS = 900
ENCODER = "all-MiniLM-L6-v2"
OVERRIDES = 1_000
COLUMNS = (
    ("events_per_s", 0),
    ("events_per_s_ratio", 2),
    ("cpu_ms_an_event", 2),
    ("cpu_ms_an_event_ratio", 2),
)
Runs = Mapping[str, Sequence[Mapping[str, float]]]
screen = Console(stderr=True, width=110)


@dataclass(frozen=True, slots=True)
class Part:
    """environ: settings of Upwell by which it is on. overrides: that stand before the events."""

    environ: Mapping[str, str] = field(default_factory=dict)
    overrides: int = 0


PARTS: dict[str, Part] = {
    "overrides": Part(overrides=OVERRIDES),
    "policy": Part({"UPWELL_POLICY": "policy.toml"}),
    "bounded influence": Part({"UPWELL_BOUNDED_INFLUENCE": "on"}),
    "quarantine": Part({"UPWELL_QUARANTINE": "burst"}),
    "bound on exposure": Part({"UPWELL_EXPOSURE": "popularity:tail>=0.5"}),
    "lists kept to be made again": Part({"UPWELL_EXPLAIN": "24"}),
    "likeness to what was banned": Part({"UPWELL_REVIEW_TEACHES": "on"}, OVERRIDES),
    "all events traced": Part({"UPWELL_TRACE": "1"}),
    "a budget of privacy": Part({"UPWELL_PRIVATE_EPSILON": "8", "UPWELL_PRIVATE_DELTA": "0.001"}),
}


def overrides(items: Sequence[LogRecord], count: int) -> list[LogRecord]:
    """So many, of as many items in turn: bans for everyone, boosts for everyone, pins for searches,
    demotions for a segment that nobody is in. Every twentieth item at most is banned.
    """
    found = []
    for number in range(count):
        item = orjson.loads(items[number % len(items)].value)["item_id"]
        said = {
            "kind": "override",
            "event_id": f"price-{number}",
            "ts": 1_700_000_000_000,
            "override_id": f"price-{number}",
            "item_id": item,
            "by": "bench",
            "why": "to see what it takes",
            **_said(number),
        }
        key = str(said["override_id"]).encode()
        found.append(LogRecord(number, Topic.CONTROLS, key, orjson.dumps(said)))
    return found


def _said(number: int) -> dict[str, Any]:
    if number % 20 == 0:
        return {"decision": "ban"}
    if number % 4 == 1:
        return {"decision": "boost", "boost": 0.5}
    if number % 4 == 2:
        return {"decision": "pin", "query": f"words of number {number}"}
    return {"decision": "demote", "boost": 0.5, "segment": "nobody"}


def policy(terms: Sequence[str]) -> str:
    """A file of one list; items that say a term stay, so that lists are as they were."""
    words = ", ".join(f'"{term}"' for term in terms)
    return f'[lists.price]\nwords = [{words}]\nitems = "keep"\n'


def whole_terms(count: int) -> list[str]:
    """Words of the language model's vocabulary, the rarest."""
    return whole_words(find_model(ENCODER) / "vocab.txt")[-count:]


def run_part(place: Place, name: str, number: int, log: Slice) -> dict[str, float]:
    """One start of the engine with a part."""
    part = PARTS.get(name, Part())
    environ = {
        key: str(place.folder / value) if key == "UPWELL_POLICY" else value
        for key, value in part.environ.items()
    }
    own = replace(place, environ={**place.environ, **environ})
    with UpwellSide(own, f"{name.replace(' ', '-')}-{number}.") as side:
        side.announce(log.items)
        if part.overrides:
            send(side.client, side.prefix, overrides(log.items, part.overrides))
            side.settle()
        before = taken()
        played = side.play(log.events)
        return {
            "events_per_s": played.events / played.done_s,
            "cpu_ms_an_event": 1000.0 * (taken() - before) / played.events,
        }


def taken() -> float:
    """Seconds of processor time of serve and learn so far."""
    below = tree(os.getpid()).items()
    return sum(cpu_seconds(pid) for pid, command in below if role_of(command) in ROLES)


def compared(runs: Runs) -> dict[str, dict[str, float]]:
    """Of each part the medians of its figures and of its ratios, round by round."""
    base = runs[WITHOUT]
    found = {}
    for name, rounds in runs.items():
        ratios = [
            {f"{figure}_ratio": one[figure] / other[figure] for figure in one}
            for one, other in zip(rounds, base, strict=True)
        ]
        found[name] = medians(rounds) | medians(ratios)
    return found


def show(result: dict[str, Any]) -> None:
    table = Table(
        "median (lowest to highest)",
        *("events a second", "× without", "processor, ms an event", "× without"),
        title=f"{result['events']} events, {result['items']} items, {result['repeats']} rounds, "
        f"{result['hardware']}, load before {result['load_before']}",
    )
    for name, figures in result["parts"].items():
        table.add_row(name, *(_cell(figures, figure, digits) for figure, digits in COLUMNS))
    screen.print(table)


def _cell(figures: Mapping[str, float], name: str, digits: int) -> str:
    lowest, highest = figures[f"{name}_lowest"], figures[f"{name}_highest"]
    return f"{figures[name]:.{digits}f} ({lowest:.{digits}f} to {highest:.{digits}f})"


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent and keeps nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def collector() -> Iterator[str]:
    """The address of a collector of traces in a thread of this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def own_place(environ: dict[str, str]) -> Iterator[Place]:
    """The store is each engine's own, vectors and the policy's file are one for all."""
    with collector() as address, placed("", environ) as place:
        (place.folder / "policy.toml").write_text(policy(whole_terms(TERMS)), encoding="utf-8")
        more = {
            "UPWELL_VECTORS": f"{place.folder}/vectors",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        }
        yield replace(place, environ={**environ, **more})


def measure(place: Place, log: Slice, names: Sequence[str], repeats: int) -> Runs:
    runs: dict[str, list[dict[str, float]]] = defaultdict(list)
    every = [WITHOUT, *names]
    for number in range(repeats):
        for name in every if number % 2 == 0 else reversed(every):
            runs[name].append(run_part(place, name, number, log))
            figures = {figure: round(value, 2) for figure, value in runs[name][-1].items()}
            screen.print(f"round {number + 1}, {name}: {figures}", highlight=False)
    return {name: runs[name] for name in every}


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, default=3_000)
    parser.add_argument("--items", type=int, default=1_500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    return parser.parse_args(arguments)


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    tracked = BenchRun(__file__, arguments, arguments.log)
    log = read_slice(arguments.log, arguments.events, arguments.items)
    try:
        with own_place({"UPWELL_TEST_SAMPLE": "0.25"}) as place:
            runs = measure(place, log, arguments.only, arguments.repeats)
    except UpwellError as exc:
        raise SystemExit(f"bench/trust/prices.py: {exc}") from exc
    result = {
        "log": str(arguments.log),
        "events": len(log.events),
        "items": len(log.items),
        "repeats": arguments.repeats,
        "hardware": hardware(),
        "load_before": before,
        "parts": compared(runs),
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
