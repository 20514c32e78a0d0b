"""What lists lose by a smaller text encoder, or by smaller vectors of it: NDCG@10 of the whole
engine, test then learn, as `bench/prequential.py` counts.

    python -m bench.compression.lists LOG [--ratings N | --events N] [--seeds S ...]
    [--models NAME ...] [--vectors NAME ...] [--student FOLDER]

Names are those of `bench.compression.run`, which must have made the student's folder. Each side
runs over the first N ratings (or events of any kind) with each of the learner's seeds; a figure is
the mean over them, and what it loses against float32 the mean of the pairs and their range. Prints
a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.compression.models import Variant
from bench.compression.variants import FULL, HALF, Turned, all_models
from bench.compression.vectors import Smaller, smaller_vectors
from bench.hardware import hardware, load
from bench.peers.run import SLICES
from bench.prequential import Log, load_log, run_model
from bench.results.bench_run import BenchRun
from stream.replay.inline import InlineEngine
from upwell.settings import EncoderSettings, Settings, load_settings
from upwell.values import Vector

MODELS = ("bfloat16", "int8", "int4, words int8", "50% pruned", HALF)
VECTORS = ("first 128", "rotated 128", "int8", "products of 4", "signs")
Figures = dict[str, float]


def ndcg10(log: Log, settings: Settings, encoder: Turned, seed: int) -> tuple[Figures, Vector]:
    """By slice, and the catalogue's vectors."""
    learner = replace(settings.learner, seed=seed, test_sample=1.0)
    engine = InlineEngine(replace(settings, learner=learner), encoder)
    run_model(log, engine)
    ids = dict.fromkeys(orjson.loads(one.value)["item_id"] for one in log.items)
    items = [one for item_id in ids if (one := engine.catalogue.get(item_id)) is not None]
    found = engine.learner.figures.ndcg10()
    return {name: float(found[name]) for name in SLICES}, np.stack([one.vector for one in items])


def sides(
    variants: Sequence[Variant], ways: Sequence[Smaller], known: dict[str, dict[str, Vector]]
) -> Iterator[tuple[str, Turned]]:
    """The models that were asked for, then the ways on the whole one's vectors."""
    for one in variants:
        yield one.name, Turned(one, None, known.setdefault(one.name, {}))
    for way in ways:
        yield f"vectors: {way.name}", Turned(variants[0], way, known[FULL])


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    before = load()
    ratings = None if arguments.events else arguments.ratings
    log = load_log(arguments.log, arguments.events, ratings)
    settings = load_settings(os.environ, None)
    variants = all_models(arguments.model, arguments.student, [FULL, *arguments.models])
    known: dict[str, dict[str, Vector]] = {FULL: {}}
    whole, vectors = ndcg10(log, settings, Turned(variants[0], None, known[FULL]), 0)
    ways = [one for one in smaller_vectors(vectors, 0) if one.name in arguments.vectors]
    found: dict[str, list[Figures]] = {}
    for name, encoder in sides(variants, ways, known):
        for seed in arguments.seeds:
            again = name == FULL and seed == 0
            made = whole if again else ndcg10(log, settings, encoder, seed)[0]
            found.setdefault(name, []).append(made)
        gains = ", ".join(f"{one['all']:.5f}" for one in found[name])
        print(f"{name}: NDCG@10 {gains}", file=sys.stderr, flush=True)
    return {
        "log": str(arguments.log),
        "events": len(log.events),
        "seeds": arguments.seeds,
        "hardware": hardware(),
        "load_before": before,
        "sides": {name: summed_up(some, found[FULL]) for name, some in found.items()},
    }


def mean(figures: Sequence[Figures]) -> Figures:
    return {name: float(np.mean([one[name] for one in figures])) for name in SLICES}


def summed_up(figures: Sequence[Figures], whole: Sequence[Figures]) -> dict[str, Any]:
    """lost: of all targets, in percent of the whole model's, seed by seed."""
    lost = [
        100.0 * (1.0 - one["all"] / other["all"]) for one, other in zip(figures, whole, strict=True)
    ]
    return {
        "ndcg10": {name: round(one, 5) for name, one in mean(figures).items()},
        "lost_percent": round(float(np.mean(lost)), 2),
        "lost_range": [round(min(lost), 2), round(max(lost), 2)],
    }


def show(result: dict[str, Any]) -> None:
    title = f"{result['log']}, {result['events']:,} events, seeds {result['seeds']}"
    table = Table("NDCG@10", *SLICES, "lost %", "lowest", "highest", title=title)
    for name, figures in result["sides"].items():
        gains = (f"{figures['ndcg10'][one]:.4f}" for one in SLICES)
        lost = (figures["lost_percent"], *figures["lost_range"])
        table.add_row(name, *gains, *(f"{one:.2f}" for one in lost))
    Console(width=120).print(table)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=8_000)
    parser.add_argument("--events", type=int, help="of any kind, in place of ratings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--models", nargs="*", default=list(MODELS), metavar="NAME")
    parser.add_argument("--vectors", nargs="*", default=list(VECTORS), metavar="NAME")
    parser.add_argument("--student", type=Path, default=Path(".upwell/half"))
    parser.add_argument("--model", default=EncoderSettings().model)
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parsed(sys.argv[1:])
    tracked = BenchRun(__file__, arguments, arguments.log)
    result = measure(arguments)
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
