"""Ratings told before they are known, on a replay log: the rating head beside running means and
factorizations on the same stream.

    python -m bench.rating LOG [--ratings N] [--seed S] [--vectors FILE]

Every rating is predicted, then learned. The head learns in batches of 256, its users' own histories
up to date; the peers after each rating. The first tenth warms up and is not counted. FILE keeps the
items' text vectors (.npy, in the order of their announcement). Prints a table, then one JSON object
as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.peers.ratings import RatingPeer, rating_peers
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from learner.counts.events import KINDS
from learner.fused.histories import LENGTH, HistoryBatch
from learner.fused.intent import Intent, decayed, event_weight, fold
from learner.fused.items import ItemTable
from learner.fused.trained import TrainedModel
from learner.training.buffer import ExampleBatch
from learner.training.trainer import Trainer
from stream.chain.catalogue import item_text
from stream.chain.validate import decode
from upwell.events import Item
from upwell.settings import LearnerSettings, Settings, load_settings

BATCH = 256
COLD = 2
SLICES = ("all", "cold_user", "cold_item", "warm")
FOREVER_MS = 1 << 53
DAY_MS = 86_400_000
_REVIEW = KINDS.index("review")


@dataclass(frozen=True)
class Rating:
    """row: of the item, in the order of announcement. ts: UTC ms. cold_user, cold_item: at most
    COLD ratings before.
    """

    user: str
    row: int
    stars: float
    ts: int
    cold_user: bool
    cold_item: bool


@dataclass
class Past:
    """What the head is told about a user: the newest events, how many there were, the intent."""

    events: deque[tuple[int, float, int]] = field(default_factory=lambda: deque(maxlen=LENGTH))
    count: int = 0
    intent: Intent | None = None


def ratings_of(log: Log) -> list[Rating]:
    """Those on announced items."""
    rows = {
        item_id: row
        for row, item_id in enumerate(
            dict.fromkeys(orjson.loads(one.value)["item_id"] for one in log.items)
        )
    }
    users: dict[str, int] = defaultdict(int)
    items: dict[int, int] = defaultdict(int)
    found = []
    for record in log.events:
        value = orjson.loads(record.value)
        user, row = value["user_id"], rows.get(value["item_id"])
        if row is None or value.get("rating") is None:
            continue
        found.append(
            Rating(
                user,
                row,
                float(value["rating"]),
                int(value["ts"]),
                users[user] <= COLD,
                items[row] <= COLD,
            )
        )
        users[user] += 1
        items[row] += 1
    return found


def text_vectors(log: Log, settings: Settings, keep: Path | None) -> NDArray[np.float32]:
    """(N, d) of the announced items, read from `keep` if it is there, else encoded (and kept)."""
    if keep is not None and keep.exists():
        return np.asarray(np.load(keep), np.float32)
    items: dict[str, Item] = {}
    for record in log.items:
        event = decode(record.topic, 0, record.line, record.value, FOREVER_MS)
        if isinstance(event, Item):
            items.setdefault(event.item_id, event)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    vectors = np.asarray(encoder.encode([item_text(item) for item in items.values()]), np.float32)
    if keep is not None:
        np.save(keep, vectors)
    return vectors


class Head:
    """The product's trainer, fed as the learner feeds it."""

    def __init__(self, vectors: NDArray[np.float32], settings: LearnerSettings) -> None:
        items = ItemTable(vectors.shape[1])
        items.refer(vectors, len(vectors), np.arange(len(vectors)))
        self._model = TrainedModel(items, settings.seed)
        self._trainer = Trainer(self._model, settings, settings.seed)
        assert self._trainer.ratings is not None, "the settings ask for it"
        self._ratings = self._trainer.ratings
        self._settings = settings
        self._half_life_ms = settings.intent_half_life_days * DAY_MS
        self._pasts: dict[str, Past] = defaultdict(Past)
        self._waiting = 0

    def run(self, ratings: list[Rating]) -> NDArray[np.float32]:
        """(n,) predictions, each made before its rating was learned."""
        parts = [
            self._predict_and_learn(ratings[start : start + BATCH])
            for start in range(0, len(ratings), BATCH)
        ]
        return np.concatenate(parts)

    def _predict_and_learn(self, ratings: list[Rating]) -> NDArray[np.float32]:
        before = np.zeros(len(ratings), np.int64)
        shape = (len(ratings), LENGTH)
        histories = HistoryBatch(
            np.full(shape, -1, np.int32),
            np.full(shape, _REVIEW, np.uint8),
            np.full(shape, np.nan, np.float32),
            np.zeros(shape, np.int64),
            np.zeros(len(ratings), np.int64),
            np.zeros((len(ratings), self._model.dimension), np.float32),
        )
        for place, rating in enumerate(ratings):
            past = self._pasts[rating.user]
            before[place], histories.lengths[place] = past.count, len(past.events)
            for number, (row, stars, ts) in enumerate(past.events):
                (
                    histories.rows[place, number],
                    histories.ratings[place, number],
                    histories.ts[place, number],
                ) = row, stars, ts
            if past.intent is not None:
                histories.intents[place] = decayed(
                    past.intent, max(rating.ts, past.intent.ts), self._half_life_ms
                )
            self._remember(past, rating)
        rows = np.array([rating.row for rating in ratings], np.int32)
        predicted = self._ratings.predict(histories, rows.astype(np.int64))
        self._trainer.add(
            ExampleBatch(
                [rating.user for rating in ratings],
                before,
                histories,
                rows,
                np.full(len(ratings), _REVIEW, np.uint8),
                np.array([rating.stars for rating in ratings], np.float32),
                np.array([rating.ts for rating in ratings], np.int64),
            )
        )
        self._waiting += len(ratings)
        if self._waiting >= self._settings.fused_every:
            self._waiting %= self._settings.fused_every
            self._trainer.train(self._settings.fused_steps)
        return predicted

    def _remember(self, past: Past, rating: Rating) -> None:
        vector = self._model.items.vectors[rating.row]
        intent = past.intent or Intent(np.zeros_like(vector), rating.ts)
        past.intent = fold(
            intent, vector, event_weight("review", rating.stars), rating.ts, self._half_life_ms
        )
        past.events.append((rating.row, rating.stars, rating.ts))
        past.count += 1


def run_peer(peer: RatingPeer, ratings: list[Rating]) -> NDArray[np.float32]:
    """(n,) predictions, each made before its rating was learned."""
    predicted = np.zeros(len(ratings), np.float32)
    for place, rating in enumerate(ratings):
        predicted[place] = peer.predict(rating.user, str(rating.row))
        peer.learn(rating.user, str(rating.row), rating.stars)
    return predicted


def figures(predicted: NDArray[np.float32], ratings: list[Rating]) -> dict[str, Any]:
    """RMSE and MAE by slice, in stars; predictions are cut to the scale, a model that ran away
    counts as nan.
    """
    counted = ratings[len(ratings) // 10 :]
    misses = predicted[len(ratings) // 10 :].clip(0.5, 5.0) - np.array(
        [rating.stars for rating in counted]
    )
    slices = {
        "all": np.ones(len(counted), np.bool_),
        "cold_user": np.array([rating.cold_user for rating in counted]),
        "cold_item": np.array([rating.cold_item for rating in counted]),
    }
    slices["warm"] = ~slices["cold_user"] & ~slices["cold_item"]
    return {
        "rmse": {
            name: float(np.sqrt(np.square(misses[inside]).mean()))
            for name, inside in slices.items()
        },
        "mae": {name: float(np.abs(misses[inside]).mean()) for name, inside in slices.items()},
        "counted": {name: int(inside.sum()) for name, inside in slices.items()},
    }


def print_table(result: dict[str, Any]) -> None:
    counted = result["models"]["Upwell"]["counted"]
    columns = [f"RMSE {name} ({counted[name]:,})" for name in SLICES]
    table = Table(
        "",
        *columns,
        "MAE all",
        "ratings/s",
        title=f"{result['log']}, {result['ratings']:,} ratings, seed {result['seed']}",
    )
    for name, row in result["models"].items():
        cells = [f"{row['rmse'][slice_name]:.4f}" for slice_name in SLICES]
        table.add_row(name, *cells, f"{row['mae']['all']:.4f}", f"{row['per_s']:,.0f}")
    Console(width=150).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, help="only the first N")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--vectors", type=Path, help="where the items' text vectors are kept")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    settings = replace(
        settings, learner=replace(settings.learner, seed=arguments.seed, rating_head=True)
    )
    log = load_log(arguments.log, None, arguments.ratings or sys.maxsize)
    ratings = ratings_of(log)
    head = Head(text_vectors(log, settings, arguments.vectors), settings.learner)
    models: dict[str, Any] = {}
    for name, run in [
        ("Upwell", head.run),
        *(
            (name, lambda all_, peer=peer: run_peer(peer, all_))
            for name, peer in rating_peers(arguments.seed).items()
        ),
    ]:
        started = time.perf_counter()
        predicted = run(ratings)
        models[name] = figures(predicted, ratings) | {
            "per_s": len(ratings) / (time.perf_counter() - started)
        }
        print(f"{name}: {models[name]['rmse']['all']:.4f}", file=sys.stderr)
    result = {
        "log": str(arguments.log),
        "ratings": len(ratings),
        "seed": arguments.seed,
        "hardware": hardware(),
        "models": models,
    }
    print_table(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
