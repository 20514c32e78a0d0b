"""Quality on a replay log, test then learn, beside the peers of the protocol on the same stream in
the same run.

    python bench/prequential.py LOG [--events N | --ratings N] [--seed S] [--linear] [--sequence]
    [--implicit] [--sasrec] [--graph] [--ablations [GROUP …]] [--serving]

Every target is ranked over the whole announced catalogue with the state before it; the first tenth
of the events warms up and is not counted. Prints a table, then one JSON object as the last line.
`--serving` plays the log with the guard before what serves, in micro-batches of 32, and measures
lists made before each: by the weights in training, and by those that serve. `--ablations` runs the
model again without each group of signals (or without those named): their weights stay at zero,
though they may still propose candidates; the fused model is not trained at all, and without
`relations` no item names another.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.peers.baselines import default_peers
from bench.peers.extra import MakePeers, extra_peers
from bench.peers.run import COLD_EVENTS, SLICES, PeerRun, mean, peer_events
from bench.results.bench_run import BenchRun
from encoders import kept_folder, load_encoder
from learner.ranking.explain import UPTAKE
from stream.replay.inline import InlineEngine
from stream.replay.log import BadLine, LogRecord, read_log
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings
from upwell.values import Example

BATCH = 256
LISTS = ("lists in training", "lists served")
EXTRA = {
    "linear": "EASE and ItemKNN, refitted every 5,000 events",
    "sequence": "a transformer over what a user did, which learns all the time",
    "implicit": "implicit's ALS and BPR, refitted every 5,000 events",
    "sasrec": "RePlay's SASRec, refitted every 5,000 events",
    "graph": "LightGCN without and with the items' relations, refitted every 5,000 events",
}
FUSED = "fused"
GROUPS: dict[str, tuple[str, ...]] = {
    "popularity": (
        "popularity_50",
        "popularity_200",
        "popularity_1000",
        "popularity_5000",
        "popularity_50000",
        "popularity",
    ),
    "newcomers": ("newcomers_20", "newcomers_200"),
    "likes": ("likes_20000", "like_rate"),
    "age": ("recency", "newness", "lifetime", "again", "again_lately"),
    "covisitation": ("covisitation", "affinity_10", "affinity_50", "affinity_any_10"),
    "transitions": (
        "transition_last",
        "transition_3",
        "transition_any_3",
        "transition_recent",
        "transition_10",
    ),
    "text": ("text_popularity", "text_similarity", "text_covisitation", "intent"),
    "relations": ("relations", "relation_1", "relation_2", "relations_far"),
    "features": ("categories",),
    "offers": ("price_10", "brand_30"),
    "lately": ("categories_5", "categories_30", "years_5", "level_3", "level_10"),
    "order": ("catalogue_distance", "catalogue_direction", "order_5", "order_30"),
    "uptake": (UPTAKE,),
    FUSED: (FUSED,),
}
"""Signals by what they read."""
ABLATIONS = {group: (group,) for group in GROUPS} | {"text and fused": ("text", FUSED)}
"""What is left out together; the fused model reads text too, so the last is all text out."""


@dataclass(frozen=True)
class Log:
    """A log cut for the run: announcements first, then events; `warmup`: the first tenth."""

    items: list[LogRecord]
    events: list[LogRecord]

    @property
    def warmup(self) -> int:
        return len(self.events) // 10


def load_log(path: Path, events: int | None, ratings: int | None) -> Log:
    """All announcements, and the first so many events (or ratings alone, as in the protocol's
    table).
    """
    items: list[LogRecord] = []
    rest: list[LogRecord] = []
    for line in read_log(path):
        if isinstance(line, BadLine):
            print(f"{path}: {line}", file=sys.stderr)
        elif line.topic is Topic.ITEMS:
            items.append(line)
        elif ratings is None or b'"rating"' in line.value:
            rest.append(line)
    return Log(items, rest[: ratings or events])


def run_model(log: Log, engine: InlineEngine) -> float:
    """Seconds for the events; the announcements are encoded before."""
    for _ in engine.play(log.items, BATCH):
        pass
    started = time.perf_counter()
    for part in (log.events[: log.warmup], log.events[log.warmup :]):
        engine.learner.figures.reset()
        for number, _ in enumerate(engine.play(part, BATCH)):
            if number % 40 == 0:
                print(f"\r{number * BATCH:>9,} events", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return time.perf_counter() - started


class Served:
    """NDCG@10 of lists, on each target just before its micro-batch is learned: by the weights in
    training, and by those that the guard lets serve.

    cold: of a user or an item with at most `COLD_EVENTS` events, as for the peers.
    """

    def __init__(self, log: Log, engine: InlineEngine) -> None:
        assert engine.promotion is not None, "the engine is guarded"
        self._learner, self._promotion = engine.learner, engine.promotion
        self._gains: dict[str, list[tuple[float, ...]]] = {name: [] for name in SLICES}
        self._warmup, self._seen = log.warmup, 0
        self._item_events: Counter[str] = Counter()
        engine.watch = self.watch

    def watch(self, examples: Sequence[Example]) -> None:
        counted = examples[max(0, self._warmup - self._seen) :]
        targets = [one for one in counted if self._promotion.sample([one])]
        both = (self._learner.parameters, self._promotion.serving)
        gains = zip(*(self._promotion.gains(targets, own) for own in both), strict=True)
        of_target = dict(zip((one.event.event_id for one in targets), gains, strict=True))
        for one in examples:
            if one.event.event_id in of_target:
                for name in self._slices(one):
                    self._gains[name].append(of_target[one.event.event_id])
            self._item_events[str(one.event.item_id)] += 1
        self._seen += len(examples)

    def _slices(self, example: Example) -> list[str]:
        cold = ["cold_user"] * (example.user_events <= COLD_EVENTS)
        cold += ["cold_item"] * (self._item_events[str(example.event.item_id)] <= COLD_EVENTS)
        return ["all", *(cold or ["warm"])]

    def ndcg10(self) -> dict[str, dict[str, float]]:
        """By `LISTS` and slice."""
        of = self._gains.items()
        return {
            name: {part: mean([float(one[place]) for one in gains]) for part, gains in of}
            for place, name in enumerate(LISTS)
        }


def run_peers(log: Log, engine: InlineEngine, extras: Sequence[MakePeers]) -> PeerRun:
    """The peers over the same log, with the same text vectors."""
    ids = list(dict.fromkeys(orjson.loads(record.value)["item_id"] for record in log.items))
    entries = [entry for item_id in ids if (entry := engine.catalogue.get(item_id)) is not None]
    rows = {entry.item_id: row for row, entry in enumerate(entries)}
    vectors = np.stack([entry.vector for entry in entries])
    peers = default_peers(vectors)
    for made in extras:
        peers |= made(entries)
    run = PeerRun(peers, len(entries))
    for number, event in enumerate(peer_events(log.events, rows)):
        if event is not None:
            run.see(event, counted=number >= log.warmup)
    return run


def report(
    log: Log, engine: InlineEngine, seconds: float, peers: PeerRun, arguments: argparse.Namespace
) -> dict[str, Any]:
    """The run as one JSON object."""
    return {
        "log": str(arguments.log),
        "events": len(log.events),
        "seed": arguments.seed,
        "hardware": hardware(),
        "targets": engine.learner.figures.targets,
        "model": model_figures(engine) | {"events_per_s": round(len(log.events) / seconds, 1)},
        "peers": {
            name: {"ndcg10": scores.ndcg10(), "hr10": scores.hr10()}
            for name, scores in peers.scores.items()
        },
    }


def model_figures(engine: InlineEngine) -> dict[str, Any]:
    """What the learner counted of itself."""
    figures = engine.learner.figures
    shown = {"coverage10": figures.coverage10, "gini": figures.gini}
    return {"ndcg10": figures.ndcg10(), "hr10": figures.hr10(), **shown}


def without_relations(log: Log) -> Log:
    """The same log, as if no item had named another."""
    values = [{**orjson.loads(one.value), "relations": None} for one in log.items]
    pairs = zip(log.items, values, strict=True)
    return replace(log, items=[replace(one, value=orjson.dumps(value)) for one, value in pairs])


def run_without(
    groups: tuple[str, ...], log: Log, settings: Settings, encoder: Encoder
) -> dict[str, Any]:
    """The model's figures over the same log without some groups of signals."""
    log = without_relations(log) if "relations" in groups else log
    learner = replace(settings.learner, fused=settings.learner.fused and FUSED not in groups)
    engine = InlineEngine(replace(settings, learner=learner), encoder)
    engine.learner.parameters.gate.mute([one for group in groups for one in GROUPS[group]])
    run_model(log, engine)
    return model_figures(engine)


def print_table(result: dict[str, Any]) -> None:
    table = Table(
        "NDCG@10",
        *SLICES,
        title=f"{result['log']}, {result['events']:,} events, {result['targets']['all']:,} targets",
    )
    lists = [(f"Upwell, {name}", found) for name, found in result.get("lists", {}).items()]
    for name, figures in [("Upwell", result["model"]), *lists, *result["peers"].items()]:
        table.add_row(name, *(f"{figures['ndcg10'][slice_name]:.4f}" for slice_name in SLICES))
    for name, figures in result.get("ablations", {}).items():
        table.add_row(
            f"without {name}", *(f"{figures['ndcg10'][slice_name]:.4f}" for slice_name in SLICES)
        )
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, help="only the first N events")
    parser.add_argument("--ratings", type=int, help="only ratings, the first N of them")
    parser.add_argument("--seed", type=int, default=7)
    for flag, peer in EXTRA.items():
        parser.add_argument(f"--{flag}", action="store_true", help=f"with {peer}")
    parser.add_argument(
        "--ablations",
        nargs="*",
        choices=list(ABLATIONS),
        metavar="GROUP",
        help="the model again without each of these: all",
    )
    parser.add_argument(
        "--serving", action="store_true", help="with the guard; what serves beside what trains"
    )
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    settings = replace(
        settings, learner=replace(settings.learner, seed=arguments.seed, test_sample=1.0)
    )
    extras = extra_peers(**{flag: getattr(arguments, flag) for flag in EXTRA})
    log = load_log(arguments.log, arguments.events, arguments.ratings)
    own = settings.encoder
    encoder = load_encoder(own.model, device=own.device, vectors=kept_folder(own.vectors))
    engine = InlineEngine(settings, encoder, serving="guarded" if arguments.serving else "live")
    served = Served(log, engine) if arguments.serving else None
    seconds = run_model(log, engine)
    result = report(log, engine, seconds, run_peers(log, engine, extras), arguments)
    if served is not None:
        result["lists"] = {name: {"ndcg10": found} for name, found in served.ndcg10().items()}
    if arguments.ablations is not None:
        result["ablations"] = {
            name: run_without(ABLATIONS[name], log, settings, encoder)
            for name in arguments.ablations or ABLATIONS
        }
    print_table(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
