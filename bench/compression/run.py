"""Size, speed and nearness of a smaller text encoder, and of smaller vectors, beside the whole one
in float32.

    python -m bench.compression.run LOG [--student FOLDER] [--rounds N] [--repeats N] [--seed N]
    [--model NAME] [--models NAME ...] [--speed]

Models are compiled by OpenVINO for this processor (`python -m bench.compression.held` has it hold
itself back). Each reads all texts of the log's items: cosine to float32's vectors of the same
texts, the share of each text's 20 nearest that are still among its 20 nearest, and NDCG@10 of the
log's next liked items by nearness to the last three liked (as `upwell adapt` counts).

Speed: texts a second of one core's time (CPU time of this process, one thread), short ones of the
log and drawn ones of 30 to 120 words, in turn, the median of the repeats; beside them
sentence-transformers in float32, of whose speed with short texts `times` is a multiple. --speed: no
more than that, and the cosines of those texts. The half model is taught on nine tenths of the
texts, once, and kept in the student's folder; `held_out` is its cosine on the others. Smaller
vectors are made of float32's. MiniLM was not trained to be cut: `first` cuts it all the same,
`rotated` along the axes of the items' vectors. Prints a table, then one JSON object as the last
line.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.compression.models import Variant
from bench.compression.variants import FULL, all_models, encoded, half_model, held_out
from bench.compression.vectors import smaller_vectors
from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.speed.encode import FOREVER_MS, PEER, Encode, long_texts, peer
from stream.replay.adaptation.history import read_history
from stream.replay.adaptation.nearness import ndcg10, ranks
from stream.replay.adaptation.stretches import Target, cut
from stream.replay.log import read_log
from upwell.settings import EncoderSettings
from upwell.values import Vector

NEAREST = 20
RESCORED = 100
TARGETS = 5_000
SHORT, LONG = 200, 30


def nearest(vectors: Vector, most: int) -> NDArray[np.int64]:
    """(n, most) of each the nearest others, in no order."""
    found = []
    for start in range(0, len(vectors), 1_000):
        scores = vectors[start : start + 1_000] @ vectors.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        found.append(np.argpartition(-scores, most, axis=1)[:, :most])
    return np.concatenate(found)


def kept(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> float:
    """The share of each row of `wanted` that is in that row of `found`."""
    shares = [
        len(np.intersect1d(one, other)) / len(other)
        for one, other in zip(found, wanted, strict=True)
    ]
    return float(np.mean(shares))


def speeds(
    sides: dict[str, Encode], texts: dict[str, list[str]], repeats: int
) -> dict[str, dict[str, list[float]]]:
    """By side and kind of texts: texts a second of one core's time, each repeat."""
    taken: dict[str, dict[str, list[float]]] = {
        name: {kind: [] for kind in texts} for name in sides
    }
    for repeat in range(repeats):
        for name in sides if repeat % 2 == 0 else reversed(sides):
            for kind, some in texts.items():
                started = time.process_time()
                sides[name](some)
                taken[name][kind].append(len(some) / (time.process_time() - started))
    return taken


def of_speed(taken: dict[str, list[float]]) -> dict[str, Any]:
    """Of one side: median, lowest and highest by kind."""
    found: dict[str, Any] = {
        kind: round(statistics.median(some), 1) for kind, some in taken.items()
    }
    spread = {kind: [round(min(some), 1), round(max(some), 1)] for kind, some in taken.items()}
    return found | {"range": spread}


def likeness(
    vectors: Vector, whole: Vector, wanted: NDArray[np.int64], targets: Sequence[Target]
) -> dict[str, Any]:
    """Of vectors of the whole one's length also the cosine to it."""
    figures: dict[str, Any] = {}
    if vectors.shape == whole.shape:
        cosines = (vectors * whole).sum(axis=1)
        figures |= {
            "cosine_mean": round(float(cosines.mean()), 5),
            "cosine_min": round(float(cosines.min()), 5),
            "held_out": round(float(cosines[held_out(len(cosines))].mean()), 5),
        }
    figures["recall_20"] = round(kept(nearest(vectors, NEAREST), wanted), 4)
    gains = ndcg10(ranks(vectors, targets), targets)
    return figures | {"ndcg10": {name: round(gain, 5) for name, gain in gains.items()}}


def timed(
    arguments: argparse.Namespace, variants: Sequence[Variant], some: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Of each model, and of sentence-transformers: how fast, and how near on the same texts."""
    rng = np.random.default_rng(arguments.seed)
    chosen = rng.choice(len(some), min(SHORT, len(some)), replace=False)
    texts = {
        "short": [some[one] for one in chosen],
        "long": long_texts(arguments.model, LONG, arguments.seed),
    }
    sides: dict[str, Encode] = {one.name: one.encoder.encode for one in variants}
    sides[PEER] = peer(arguments.model, "cpu", 1)[0]
    taken = speeds(sides, texts, arguments.repeats)
    both = [*texts["short"], *texts["long"]]
    whole, figures = sides[FULL](both), {}
    for name, encode in sides.items():
        cosines = (encode(both) * whole).sum(axis=1)
        figures[name] = {
            **of_speed(taken[name]),
            "times": round(statistics.median(taken[name]["short"]) / _peer_median(taken), 2),
            "cosine_mean": round(float(cosines.mean()), 5),
            "cosine_min": round(float(cosines.min()), 5),
        }
    return figures


def _peer_median(taken: dict[str, dict[str, list[float]]]) -> float:
    return statistics.median(taken[PEER]["short"])


def of_models(
    figures: dict[str, dict[str, Any]],
    variants: Sequence[Variant],
    texts: Sequence[str],
    targets: Sequence[Target],
) -> Vector:
    """Adds to each model's figures what all texts say; the whole model's vectors."""
    vectors = {one.name: encoded(one, texts) for one in variants}
    wanted = nearest(vectors[FULL], NEAREST)
    for one in variants:
        figures[one.name] |= likeness(vectors[one.name], vectors[FULL], wanted, targets)
    return vectors[FULL]


def of_vectors(whole: Vector, targets: Sequence[Target], seed: int) -> dict[str, Any]:
    """Figures by name; rescored: of the whole ones' nearest 20 among the nearest 100 by these."""
    wanted, figures = nearest(whole, NEAREST), {}
    for way in smaller_vectors(whole, seed):
        vectors = way.turned(whole)
        figures[way.name] = {
            "bytes": way.bytes,
            **likeness(vectors, whole, wanted, targets),
            "rescored": round(kept(nearest(vectors, RESCORED), wanted), 4),
        }
    return {FULL: {"bytes": 4 * whole.shape[1]}} | figures


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(1)
    before = load()
    history = read_history(read_log(arguments.log), FOREVER_MS)
    half_model(arguments.model, history.texts, arguments.rounds, arguments.seed, arguments.student)
    targets = cut(history, TARGETS, arguments.seed).test
    variants = all_models(arguments.model, arguments.student, arguments.models)
    figures = timed(arguments, variants, history.texts)
    for one in variants:
        figures[one.name]["mb"] = round(one.bytes / 1e6, 1)
    result = {
        "log": str(arguments.log),
        "texts": len(history.texts),
        "targets": len(targets),
        "seed": arguments.seed,
        "repeats": arguments.repeats,
        "hardware": hardware(),
        "load_before": before,
        "models": figures,
    }
    if not arguments.speed:
        whole = of_models(figures, variants, history.texts, targets)
        result["vectors"] = of_vectors(whole, targets, arguments.seed)
    return result


def show(result: dict[str, Any]) -> None:
    about = f"{result['texts']} texts, {result['targets']} targets, {result['hardware']}"
    columns = {
        "models": (
            *("mb", "short", "long", "times", "cosine_mean", "cosine_min"),
            *("held_out", "recall_20"),
        ),
        "vectors": ("bytes", "cosine_mean", "cosine_min", "recall_20", "rescored"),
    }
    for kind, names in columns.items():
        if kind not in result:
            continue
        table = Table(kind, *names, "NDCG@10", "cold item", title=about)
        for name, figures in result[kind].items():
            gains = figures.get("ndcg10", {})
            shown = [str(figures.get(one, "")) for one in names]
            shown += [f"{gains[one]:.4f}" for one in ("all", "cold_item") if one in gains]
            table.add_row(name, *shown)
        Console(width=130).print(table)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--student", type=Path, default=Path(".upwell/half"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=[], metavar="NAME", help="all")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default=EncoderSettings().model)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parsed(sys.argv[1:])
    tracked = BenchRun(__file__, arguments, arguments.log)
    result = measure(arguments)
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
