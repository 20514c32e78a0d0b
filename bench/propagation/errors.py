"""How wrong propagation is: categories of a share of a log's items are hidden and filled from their
nearest texts; what items earn is foretold from what their nearest texts earned.

    python -m bench.propagation.errors LOG [--hide SHARE …] [--seeds S …] [--ratings N]
    [--vectors FILE] [--no-peers]

Micro-averaged precision, recall, F1 of the hidden items' labels; `told`: the F1 that leave-one-out
on the labelled ones promises; calibration error. `before it`: by items announced before alone, the
threshold too. `engine's vectors`: those of labelled items have the categories in the text, as the
learner keeps them. Peers see all labelled items but a fifth, on which their thresholds are chosen.
Behaviour: of items without an event in the first half of the ratings, how well the number of their
ratings in the second, and the share of likes among them, are foretold. Prints two tables, then one
JSON object as the last line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from bench.hardware import hardware, load
from bench.prequential import Log, load_log
from bench.propagation.labels import (
    GRID,
    NEAREST,
    calibration,
    filled,
    hidden,
    scores,
    thresholds,
    told,
    votes,
)
from bench.propagation.peers import PEERS
from bench.propagation.texts import Items, items_of, vectors_of
from bench.results.bench_run import BenchRun
from upwell.values import Vector

__all__ = ["behaviour", "by_neighbours", "by_peer", "labels"]

LIKED = 4.0  # stars
ENOUGH = 5  # ratings of an item, from which its share of likes is known
VALIDATED = 0.2

Figures = dict[str, float]


def by_neighbours(
    vectors: Vector, held: NDArray[np.bool_], gone: NDArray[np.bool_], *, later: bool
) -> Figures:
    """Of the votes of text neighbours."""
    known = held.any(axis=1) & ~gone
    shares = votes(vectors, held, known, later=later)
    at = thresholds(shares, held, known)
    if later:
        at = np.full(len(held), _best(shares[known], held[known]))
    return _figures(shares, held, gone, at) | {"told": told(shares, held, known, at).f1}


def by_peer(
    name: str, vectors: Vector, held: NDArray[np.bool_], gone: NDArray[np.bool_], seed: int
) -> Figures:
    """Of one of `PEERS`."""
    known = held.any(axis=1) & ~gone
    validated = hidden(held & known[:, None], VALIDATED, seed)
    shares = PEERS[name](vectors, held, known & ~validated)
    best = _best(shares[validated], held[validated])
    at = np.full(len(held), best)
    return _figures(shares, held, gone, at) | {"told": told(shares, held, validated, at).f1}


def _best(shares: NDArray[np.float32], held: NDArray[np.bool_]) -> float:
    return float(max(GRID, key=lambda at: scores(shares >= at, held).f1))


def _figures(
    shares: NDArray[np.float32],
    held: NDArray[np.bool_],
    gone: NDArray[np.bool_],
    at: NDArray[np.float64],
) -> Figures:
    given = filled(shares, at)
    exactly = (given == held).all(axis=1)[gone]
    return {
        **scores(given[gone], held[gone])._asdict(),
        "calibration": calibration(shares[gone], held[gone]),
        "exact": float(exactly.mean()),
        "without": float((~given[gone].any(axis=1)).mean()),
        "threshold": float(at[gone].mean()),
    }


def labels(
    items: Items, full: Vector, bare: Vector, share: float, seed: int, *, peers: bool
) -> dict[str, Figures]:
    """Of a share hidden, by method."""
    gone = hidden(items.held, share, seed)
    mixed = np.where(gone[:, None], bare, full)
    ways: dict[str, Callable[[], Figures]] = {
        "text neighbours before it": lambda: by_neighbours(bare, items.held, gone, later=False),
        "the same, engine's vectors": lambda: by_neighbours(mixed, items.held, gone, later=False),
        "text neighbours": lambda: by_neighbours(bare, items.held, gone, later=True),
    }
    if peers:
        ways |= {one: partial(by_peer, one, bare, items.held, gone, seed) for one in PEERS}
    found: dict[str, Figures] = {}
    for name, way in ways.items():
        found[name] = way()
        print(f"{share:g}, seed {seed}, {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def behaviour(log: Log, items: Items, vectors: Vector) -> dict[str, Any]:
    """How well what new items earn is foretold by the nearest in text and in order of announcement.

    Spearman's rank correlation of ratings, of all new items and of those rated at all; mean
    absolute error of the share of likes of those with enough, beside the known items' mean share.
    """
    row = {item_id: place for place, item_id in enumerate(items.ids)}
    counts, likes = np.zeros((2, len(row))), np.zeros((2, len(row)))
    for number, record in enumerate(log.events):
        value = orjson.loads(record.value or b"")
        half = int(2 * number >= len(log.events))
        counts[half, row[value["item_id"]]] += 1
        likes[half, row[value["item_id"]]] += value["rating"] >= LIKED
    known, new = counts[0] > 0, counts[0] == 0
    mean = likes[0].sum() / counts[0].sum()
    share = (likes[0] + mean * ENOUGH) / (counts[0] + ENOUGH)
    earned = np.stack([np.log1p(counts[0]), share], axis=1)
    rated, judged = new & (counts[1] > 0), new & (counts[1] >= ENOUGH)
    true = likes[1, judged] / counts[1, judged]
    found: dict[str, Any] = {
        "new": int(new.sum()),
        "rated": int(rated.sum()),
        "judged": int(judged.sum()),
        "mean": {"likes_mae": float(np.abs(true - mean).mean())},
    }
    for name, guess in (
        ("text neighbours", votes(vectors, earned, known, later=True)),
        ("neighbours in order", _in_order(earned, known)),
    ):
        found[name] = {
            "ratings_rank": _rank(guess[new, 0], counts[1, new]),
            "ratings_rank_of_rated": _rank(guess[rated, 0], counts[1, rated]),
            "likes_rank": _rank(guess[judged, 1], true),
            "likes_mae": float(np.abs(guess[judged, 1] - true).mean()),
        }
    return found


def _rank(guess: NDArray[Any], true: NDArray[Any]) -> float:
    return float(spearmanr(guess, true).statistic)


def _in_order(earned: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, 2) the mean of the known items announced nearest."""
    places = np.flatnonzero(known)
    near = np.argsort(np.abs(np.arange(len(known))[:, None] - places), axis=1)[:, :NEAREST]
    found: NDArray[np.float64] = earned[places[near]].mean(axis=1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--hide", type=float, nargs="*", default=[0.1, 0.5])
    parser.add_argument("--seeds", type=int, nargs="*", default=[7])
    parser.add_argument("--ratings", type=int, default=40_000)
    parser.add_argument("--vectors", type=Path, help="kept here, read where they are")
    parser.add_argument("--no-peers", action="store_true")
    told_, before = parser.parse_args(), load()
    tracked = BenchRun(__file__, told_, told_.log)
    log = load_log(told_.log, None, told_.ratings)
    values, items = items_of(log.items)
    full, bare = vectors_of(values, told_.vectors)
    result: dict[str, Any] = {"hardware": hardware(), "load_before": before, "items": len(bare)}
    result["behaviour"] = behaviour(log, items, full)
    print(orjson.dumps(result["behaviour"]).decode(), flush=True)
    columns = ("precision", "recall", "f1", "told", "calibration", "exact", "without", "threshold")
    table = Table("hidden", "seed", "by", *columns)
    result["labels"] = {}
    for share in told_.hide:
        for seed in told_.seeds:
            found = labels(items, full, bare, share, seed, peers=not told_.no_peers)
            result["labels"][f"{share:g}, seed {seed}"] = found
            for name, one in found.items():
                table.add_row(f"{share:g}", str(seed), name, *(f"{one[of]:.3f}" for of in columns))
    Console(width=140).print(table)
    tracked.tell(result)


if __name__ == "__main__":
    main()
