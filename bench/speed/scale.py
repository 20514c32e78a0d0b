"""What a catalogue's size costs, in one process: lists, memory, announcing, events a second.

    python bench/speed/scale.py [--sizes 10000 100000] [--million] [--events N] [--repeats N]
        [--qdrant URL] [--only NAME [--rounds N]]

Synthetic items and events; the inline engine, whose encoder draws a unit vector of 384 numbers a
text at random (12 numbers, spread over 384, and a tenth of noise), so that what is measured is the
rest. Each size and repeat is a process of its own: memory an item is what the process holds after
the announcing less what it held before, divided by the items; chain, store and learner are one
process here and share the items. An event is one review; it is served and learned, live, 32 at a
time, which fills the users' histories. A list is one asked for again of a known user. recall: of
the 100 items nearest to a text those that a list's search finds, and of the 20 nearest to an item
those in its list of neighbours. checkpoint: all that is learned, as it is written. With --qdrant
the naive loop stands beside, with the same vectors, texts and events on that server, whose memory
is not seen. Medians of the repeats; a table, then one JSON object as the last line. --rounds, with
--only: events and lists that often over one announced catalogue, other ones each time; medians,
lowest and highest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from qdrant_client import QdrantClient
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.large import RandomEncoder, checkpoint, recall
from bench.peers.naive import NaiveLoop
from bench.results.bench_run import BenchRun
from bench.speed.figures import medians, percentiles
from bench.speed.proc import memory_mb
from bench.speed.slices import BEGAN_MS
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import load_settings

CHUNK = 1_000
BATCH = 32
USERS = 50
ROUND_MS = 10**9
LISTS = 100
MILLION = 1_000_000
OURS, NAIVE = "upwell, inline", "naive loop"
screen = Console(stderr=True, width=100)


def item(number: int) -> dict[str, Any]:
    categories = [f"category {number % 20}"]
    return {
        "item_id": f"i{number}",
        "ts": BEGAN_MS,
        "title": f"Item {number}",
        "categories": categories,
    }


def reviews(
    count: int, catalogue: int, seed: int, began_ms: int = BEGAN_MS
) -> Iterator[dict[str, Any]]:
    """Of few users, on items by a power law, one a second."""
    rng = np.random.default_rng(seed)
    rows = (catalogue * rng.random(count) ** 3).astype(int).tolist()
    for number, (row, user) in enumerate(
        zip(rows, rng.integers(USERS, size=count).tolist(), strict=True)
    ):
        ts = began_ms + 1_000 * number
        yield {
            "event_id": f"e{ts}",
            "ts": ts,
            "user_id": f"u{user}",
            "item_id": f"i{row}",
            "rating": 5.0,
        }


def record(topic: Topic, key: str, value: dict[str, Any]) -> LogRecord:
    return LogRecord(1, topic, str(value[key]).encode(), orjson.dumps(value))


def chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def upwell_at(size: int, events: int, seed: int, rounds: int) -> dict[str, float]:
    """Warmed up on other items, so that kernels are there before anything is timed."""
    environ = {"UPWELL_CATALOGUE_ITEMS": str(2 * size), "UPWELL_SEED": str(seed)}
    settings = load_settings(environ)
    warm = InlineEngine(settings, RandomEncoder())
    warm.process([record(Topic.ITEMS, "item_id", item(number)) for number in range(100)])
    warm.process([record(Topic.REVIEWS, "user_id", one) for one in reviews(64, 100, seed)])
    engine = InlineEngine(settings, RandomEncoder())
    before = memory_mb(os.getpid())["Rss"]
    announced_s = 0.0
    for numbers in chunks(range(size), CHUNK):
        some = [record(Topic.ITEMS, "item_id", item(number)) for number in numbers]
        started = time.perf_counter()
        engine.process(some)
        announced_s += time.perf_counter() - started
    held = memory_mb(os.getpid())["Rss"] - before
    taken = [_round(engine, size, events, seed, number) for number in range(rounds)]
    if engine.counts["dead_letters"] or len(engine.catalogue) != size:
        raise SystemExit(f"bench/speed/scale.py: not all was taken: {engine.counts}")
    return {
        "announced_per_s": size / announced_s,
        "kb_an_item": 1000 * held / size,
        **(medians(taken) if rounds > 1 else taken[0]),
        **recall(engine.learner, RandomEncoder(), seed),
        **checkpoint(engine.learner),
    }


def _round(
    engine: InlineEngine, size: int, events: int, seed: int, number: int
) -> dict[str, float]:
    """Later than the rounds before, with events of its own."""
    began_ms = BEGAN_MS + 2 * number * ROUND_MS
    found = list(reviews(events, size, seed + number, began_ms))
    played = [record(Topic.REVIEWS, "user_id", one) for one in found]
    started = time.perf_counter()
    for batch in chunks(played, BATCH):
        engine.process(batch)
    events_s = time.perf_counter() - started
    return {
        "events_per_s": events / events_s,
        **percentiles(_list_ms(engine, {one["user_id"] for one in found}, began_ms + ROUND_MS)),
    }


def _list_ms(engine: InlineEngine, users: set[str], began_ms: int) -> list[float]:
    """Asked for by users whom it knows, one at a time."""
    took = []
    for number in range(LISTS):
        user = sorted(users)[number % len(users)]
        ts = began_ms + number
        request = {"request_id": f"r{ts}", "event_id": f"r{ts}", "ts": ts, "user_id": user}
        asked = record(Topic.REQUESTS, "user_id", request)
        started = time.perf_counter()
        effects = engine.process([asked])
        took.append(1000 * (time.perf_counter() - started))
        if len(effects.lists) != 1 or not effects.lists[0].items:
            raise SystemExit(f"bench/speed/scale.py: no list for {user}: {effects}")
    return took


def naive_at(size: int, events: int, seed: int, qdrant: str) -> dict[str, float]:
    """A list comes with each event; here both are one figure."""
    client, prefix = QdrantClient(url=qdrant, timeout=60), f"scale-{os.getpid()}."
    try:
        loop = NaiveLoop(RandomEncoder().encode, client, prefix)
        started = time.perf_counter()
        for numbers in chunks(range(size), CHUNK):
            loop.announce([item(number) for number in numbers])
        announced_s = time.perf_counter() - started
        took = []
        for event in reviews(events, size, seed):
            started = time.perf_counter()
            loop.recommend(event)
            took.append(1000 * (time.perf_counter() - started))
    finally:
        for name in ("items", "users"):
            client.delete_collection(prefix + name)
    return {
        "announced_per_s": size / announced_s,
        "events_per_s": 1000 * len(took) / sum(took),
        **percentiles(took),
    }


def in_own_process(size: int, arguments: argparse.Namespace, side: str) -> dict[str, float]:
    told = ["--only", side, "--sizes", str(size), "--events", str(arguments.events)]
    told += ["--seed", str(arguments.seed)]
    told += ["--qdrant", arguments.qdrant] if side == NAIVE else []
    done = subprocess.run([sys.executable, __file__, *told], check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
    return figures


def measure(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    runs: dict[str, list[dict[str, float]]] = defaultdict(list)
    sides = [OURS, *([NAIVE] if arguments.qdrant else [])]
    for repeat in range(arguments.repeats):
        for size in arguments.sizes:
            for side in sides if repeat % 2 == 0 else reversed(sides):
                name = f"{side}, {size:,} items"
                runs[name].append(in_own_process(size, arguments, side))
                screen.print(f"repeat {repeat + 1}, {name}: {runs[name][-1]}", highlight=False)
    return {name: medians(found) for name, found in runs.items()}


def _shown(figures: dict[str, float], name: str) -> str:
    if name not in figures:
        return ""
    return f"{figures[name]:,.3f}" if "recall" in name else f"{figures[name]:,.1f}"


def show(result: dict[str, Any]) -> None:
    names = (
        *("p50", "p99", "events_per_s", "announced_per_s", "kb_an_item", "recall_100"),
        *("neighbours_recall_20", "checkpoint_mb", "checkpoint_s", "delta_s"),
    )
    table = Table("median", *names, title=f"{result['hardware']}, load {result['load_before']}")
    for side, figures in result["sides"].items():
        table.add_row(
            side,
            *(
                f"{figures[name]:,.{3 if 'recall' in name else 1}f}" if name in figures else ""
                for name in names
            ),
        )
    screen.print(table)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--million", action="store_true", help="a million items, too")
    parser.add_argument("--events", type=int, default=2_560)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1, help="of ours, with --only")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--qdrant", default=os.environ.get("UPWELL_TEST_QDRANT_URL"))
    parser.add_argument("--only", choices=[OURS, NAIVE], help="one side, once, in this process")
    return parser.parse_args(arguments)


def main() -> None:
    arguments, before = parsed(sys.argv[1:]), load()
    size, events, seed = arguments.sizes[0], arguments.events, arguments.seed
    if arguments.only == OURS:
        print(orjson.dumps(upwell_at(size, events, seed, arguments.rounds)).decode())
        return
    if arguments.only == NAIVE:
        print(orjson.dumps(naive_at(size, events, seed, arguments.qdrant)).decode())
        return
    tracked = BenchRun(__file__, arguments)
    arguments.sizes += [MILLION] if arguments.million else []
    result = {
        "events": events,
        "repeats": arguments.repeats,
        "seed": seed,
        "hardware": hardware(),
        "load_before": before,
        "sides": measure(arguments),
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
