"""What a search and the lists of neighbours have of the nearest among real texts, beyond what is
compared in full.

    python -m bench.near FOLDER [--texts N] [--exact N] [--seed N] [--vectors FILE]

FOLDER holds logs (*/events.jsonl.gz) and tables of questions (support/*.csv). Titles with their
categories, sentences of reviews, questions: distinct ones, at most 18 words of each. They are
encoded by the default model, or read from FILE, which is written where it is missing. 500 are asked
for, the others announced; from --exact on by the index. recall: of the 100 nearest of those asked
for what a search finds, and of the 20 and the 100 nearest of 1,000 announced ones those in their
lists. CPU time of one process. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from learner.catalogue.nearest.text import TextGraph
from learner.catalogue.nearest.walk import search
from upwell.values import Vector

MOST_WORDS, LEAST_WORDS, LEAST_LETTERS = 18, 4, 3
ASKED, LISTS = 500, 1_000
CHUNK = 1_000
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def of_log(path: Path) -> Iterator[str]:
    """Titles with categories, sentences of reviews."""
    with gzip.open(path) as lines:
        for line in lines:
            value = (record := orjson.loads(line))["value"]
            if record["topic"] == "items":
                yield value["title"] + ". " + ", ".join(value.get("categories", ()))
            elif value.get("text"):
                sentences = SENTENCE.split(value["text"])
                yield from (one for one in sentences if len(one.split()) >= LEAST_WORDS)


def of_table(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield row.get("text") or row.get("instruction") or ""


def texts(folder: Path, seed: int) -> list[str]:
    found: dict[str, None] = {}
    sources = [of_log(one) for one in sorted(folder.glob("*/events.jsonl.gz"))]
    sources += [of_table(one) for one in sorted(folder.glob("support/*.csv"), reverse=True)]
    for source in sources:
        for text in source:
            if len(" ".join(text.split())) >= LEAST_LETTERS:
                found[" ".join(text.split()[:MOST_WORDS])] = None
    drawn = list(found)
    random.Random(seed).shuffle(drawn)
    return drawn


def vectors_of(some: list[str], kept: Path | None) -> Vector:
    if kept is not None and kept.exists():
        read: Vector = np.load(kept)
        return read
    with closing(load_encoder("all-MiniLM-L6-v2", device="cpu")) as encoder:
        parts = [
            encoder.encode(some[start : start + CHUNK]) for start in range(0, len(some), CHUNK)
        ]
    vectors: Vector = np.concatenate(parts).astype(np.float32)
    if kept is not None:
        np.save(kept, vectors)
    return vectors


def announced(vectors: Vector, exact: int) -> tuple[TextGraph, float]:
    """The graph of all, and what each of the last tenth took, ms of CPU time."""
    graph, count, took = TextGraph(vectors.shape[1], exact), len(vectors), 0.0
    graph.grow(count)
    late = count - count // 10
    for start in (*range(0, late, CHUNK), *range(late, count, CHUNK)):
        end = min(start + CHUNK, late if start < late else count)
        started = time.process_time()
        graph.put(np.arange(start, end), vectors[start:end], end)
        took += (time.process_time() - started) * (start >= late)
    return graph, 1000 * took / (count - late)


def best(vectors: Vector, to: Vector, most: int) -> NDArray[np.int64]:
    return np.argsort(-(vectors @ to), kind="stable")[:most]


def shared(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return len(np.intersect1d(found, wanted)) / len(wanted)


def of_searches(graph: TextGraph, vectors: Vector, asked: Vector) -> dict[str, float]:
    allowed, nobody = np.ones(len(graph.vectors), np.bool_), np.zeros(0, np.int32)
    out, shares, seen, took = np.zeros(100, np.int32), [], [], 0.0
    search(graph.steps, graph.trail, asked[0], nobody, allowed, nobody, out)  # compiles
    for to in asked:
        started = time.process_time()
        search(graph.steps, graph.trail, to, nobody, allowed, nobody, out)
        took += time.process_time() - started
        seen.append(int(graph.trail.seen[0]))
        shares.append(shared(out, best(vectors, to, 100)))
    return {
        "search_recall_100": float(np.mean(shares)),
        "looked_at": float(np.mean(seen)),
        "search_ms": 1000 * took / len(asked),
    }


def of_lists(graph: TextGraph, vectors: Vector, seed: int) -> dict[str, float]:
    twenty, hundred = [], []
    for row in np.random.default_rng(seed).choice(len(vectors), LISTS, replace=False):
        wanted = best(vectors, vectors[row], 101)
        wanted, held = wanted[wanted != row][:100], graph.state.ids[row, : graph.state.sizes[row]]
        twenty.append(shared(held[:20], wanted[:20]))
        hundred.append(shared(held, wanted))
    return {"lists_recall_20": float(np.mean(twenty)), "lists_recall_100": float(np.mean(hundred))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int)
    parser.add_argument("--exact", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--vectors", type=Path)
    told, before = parser.parse_args(sys.argv[1:]), load()
    tracked = BenchRun(__file__, told, told.folder)
    vectors = vectors_of(texts(told.folder, told.seed)[: told.texts], told.vectors)[: told.texts]
    asked, vectors = vectors[:ASKED], vectors[ASKED:]
    graph, insert_ms = announced(vectors, told.exact)
    figures = {"texts": len(vectors), "insert_ms": insert_ms}
    figures |= of_searches(graph, vectors, asked) | of_lists(graph, vectors, told.seed)
    tracked.tell({"hardware": hardware(), "load_before": before, **figures})


if __name__ == "__main__":
    main()
