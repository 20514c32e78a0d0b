"""What a graph is worth that is made of a log's own categories and tags, as its events come.

    python bench/simulations/own_graph.py LOG [--skip N] [--events N] [--graphs NAME …]

kinds: an item names the 16 listed last before it with the same categories, two at least; it is
known from its announcement on. tags: of MovieLens, words without a rating on an item. An item names
the others that somebody gave the same tag, of tags that 20 items have at most. It does so in a
record of its own right after the micro-batch in which the tag came, so that no target knows of a
tag that comes after it.

Plays the log without a graph, then with each; the two relations are weighed apart. Counted are
targets from the first tag on, or without one after the first tenth. Prints a table, then one JSON
object as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.peers.run import SLICES
from bench.prequential import BATCH, Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings

KINDS, TAGS = "kinds", "tags"
GRAPHS: dict[str, tuple[str, ...]] = {"none": (), KINDS: (KINDS,), "kinds and tags": (KINDS, TAGS)}
SAME_KINDS, LEAST_KINDS = 16, 2
RARE = 20
"""Items that have a tag, at most."""


def same_kinds(items: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By item, the ones that it names, the last listed first."""
    before: dict[frozenset[str], deque[str]] = defaultdict(lambda: deque(maxlen=SAME_KINDS))
    named: dict[str, list[str]] = {}
    for item in items:
        kinds = frozenset(item.get("categories", ()))
        if len(kinds) >= LEAST_KINDS:
            named[item["item_id"]] = list(before[kinds])
            before[kinds].appendleft(item["item_id"])
    return named


class Tags:
    """Who was given which tag so far."""

    def __init__(self) -> None:
        self._tagged: dict[str, list[str]] = defaultdict(list)
        self._named: dict[str, list[str]] = defaultdict(list)

    def take(self, events: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """What items name that were given a rare tag by these events and that name others now."""
        fresh: dict[str, list[str]] = {}
        for event in events:
            tag = tag_of(event)
            others = self._tagged[tag] if tag else []
            item = event.get("item_id", "")
            if not tag or item in others:
                continue
            others.append(item)
            if 1 < len(others) <= RARE:
                named = dict.fromkeys([*reversed(others[:-1]), *self._named[item]])
                fresh[item] = self._named[item] = list(named)
        return fresh


def tag_of(event: Mapping[str, Any]) -> str:
    """Empty where it is none."""
    return "" if "rating" in event else " ".join(str(event.get("text", "")).lower().split())


def announced(log: Log, named: Mapping[str, Sequence[str]]) -> Iterator[LogRecord]:
    """The announcements with what each item names by its kinds."""
    for record in log.items:
        value = orjson.loads(record.value)
        if kin := named.get(value["item_id"]):
            value["relations"] = {KINDS: kin}
        yield replace(record, value=orjson.dumps(value))


def changes(
    fresh: Mapping[str, Sequence[str]], kinds: Mapping[str, Sequence[str]], ts: int
) -> list[LogRecord]:
    """A record each for what items name now: a change replaces all relations of an item."""
    return [
        LogRecord(
            0,
            Topic.ITEMS,
            item.encode(),
            orjson.dumps(
                {
                    "item_id": item,
                    "ts": ts,
                    "relations": {
                        TAGS: named,
                        **({KINDS: kin} if (kin := kinds.get(item)) else {}),
                    },
                }
            ),
        )
        for item, named in fresh.items()
    ]


def play(log: Log, graph: Sequence[str], engine: InlineEngine, start: int) -> dict[str, Any]:
    """NDCG@10 of targets from the event number `start` on, by slice."""
    kinds = same_kinds([orjson.loads(one.value) for one in log.items]) if KINDS in graph else {}
    tags, told = Tags(), 0
    for _ in engine.play(announced(log, kinds), BATCH):
        pass
    for place in range(0, len(log.events), BATCH):
        if place == start:
            engine.learner.figures.reset()
        batch = log.events[place : place + BATCH]
        values = [orjson.loads(one.value) for one in batch]
        fresh = tags.take(values) if TAGS in graph else {}
        for _ in engine.play(batch, BATCH):
            pass
        for _ in engine.play(changes(fresh, kinds, values[-1]["ts"]), BATCH):
            pass
        told += len(fresh)
        if place % (BATCH * 40) == 0:
            print(f"\r{place:>9,} events", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    figures = engine.learner.figures
    return {"named": len(kinds), "told": told, "targets": figures.targets} | {
        "ndcg10": figures.ndcg10()
    }


def first_tag(log: Log) -> int:
    """The event number at which the micro-batch of the first tag begins; without one a tenth on."""
    for place, record in enumerate(log.events):
        if tag_of(orjson.loads(record.value)):
            return place // BATCH * BATCH
    return log.warmup // BATCH * BATCH


def made(settings: Settings, encoder: Encoder, graph: Sequence[str], seed: int) -> InlineEngine:
    """An engine that weighs the graph's relations apart."""
    learner = replace(
        settings.learner, seed=seed, test_sample=1.0, relations=",".join(graph) or None
    )
    return InlineEngine(replace(settings, learner=learner), encoder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--skip", type=int, default=0, help="begin after N events")
    parser.add_argument("--events", type=int, help="end after N events, of the log")
    parser.add_argument("--graphs", nargs="+", choices=list(GRAPHS), default=list(GRAPHS))
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    busy = load()
    whole = load_log(arguments.log, arguments.events, None)
    log = replace(whole, events=whole.events[arguments.skip :])
    settings = load_settings(os.environ, None)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    start = first_tag(log)
    found = {
        name: play(log, GRAPHS[name], made(settings, encoder, GRAPHS[name], arguments.seed), start)
        for name in arguments.graphs
    }
    table = Table("NDCG@10", *SLICES, title=f"{arguments.log}, from event {start:,} on")
    for name, one in found.items():
        table.add_row(name, *(f"{one['ndcg10'][part]:.4f}" for part in SLICES))
    Console(width=110).print(table)
    told = {**vars(arguments), "log": str(arguments.log)}
    report = {**told, "hardware": hardware(), "load": busy, "start": start}
    tracked.tell(report | {"runs": found})


if __name__ == "__main__":
    main()
