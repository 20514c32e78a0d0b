"""What each regularizer, and counting with bounded influence, does to the lists: on the log as it
is, under noise, and under attack.

    python bench/regularizers.py LOG [--ratings N] [--variants NAME …] [--seed S]

noise: for each twentieth event one more, a random user's five stars on a random item. Noise
teaches, but is not counted as a target. attack: fake users, 1 % or 5 % of the events, rate nine
popular items and one that nobody knew five stars (a bandwagon attack: Mobasher et al. 2007); its
exposure is the share of places in the tested top tens that the pushed item has. Prints a table,
then one JSON object.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.peers.run import SLICES
from bench.prequential import BATCH, Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from learner.training.learner import Learner
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings
from upwell.values import CatalogueItem, Example

FAKE = "fake-"
FILLERS = 9
NOISE_EVERY = 20
ATTACKS = {"attack_1": 0.01, "attack_5": 0.05}
VARIANTS: dict[str, dict[str, Any]] = {
    "none": {},
    "fgsm": {"adversarial": "fgsm"},
    "vat": {"adversarial": "vat"},
    "contrastive": {"self_supervised": True},
    "propensity": {"propensity": True},
    "bounded influence": {"bounded_influence": True},
    "no fused model": {"fused": False},
}


@dataclass(frozen=True)
class Uncounted:
    """A learner that learns from injected events like from any, and leaves its figures as they were
    before them.
    """

    learner: Learner

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        self.learner.add_items(items)

    def learn(self, examples: Sequence[Example]) -> None:
        for injected, run in groupby(
            examples, key=lambda example: example.event.event_id.startswith(FAKE)
        ):
            before = self.learner.figures.arrays()
            self.learner.learn(list(run))
            if injected:
                self.learner.figures.restore(before)


def rating(number: int, user: str, item_id: str, ts: int) -> LogRecord:
    """Five stars that nobody gave."""
    value = {
        "event_id": f"{FAKE}{number}",
        "ts": ts,
        "user_id": user,
        "item_id": item_id,
        "rating": 5.0,
    }
    return LogRecord(0, Topic.REVIEWS, user.encode(), orjson.dumps(value))


def noisy(log: Log, rng: np.random.Generator) -> list[LogRecord]:
    """The events with one random one after each `NOISE_EVERY`."""
    items = [orjson.loads(record.value)["item_id"] for record in log.items]
    users = sorted({orjson.loads(record.value)["user_id"] for record in log.events})
    return _merged(
        log.events,
        {
            place: [(str(rng.choice(users)), str(rng.choice(items)))]
            for place in range(NOISE_EVERY - 1, len(log.events), NOISE_EVERY)
        },
    )


def attacked(log: Log, share: float, rng: np.random.Generator) -> tuple[list[LogRecord], str]:
    """The events with fake profiles after the warm-up, and the item they push."""
    seen = Counter(str(orjson.loads(record.value)["item_id"]) for record in log.events)
    pushed = str(
        rng.choice(
            [
                item
                for record in log.items
                if (item := orjson.loads(record.value)["item_id"]) not in seen
            ]
        )
    )
    popular = [item for item, _ in seen.most_common(100)]
    profiles = max(1, round(share * len(log.events) / (FILLERS + 1)))
    added: dict[int, list[tuple[str, str]]] = {}
    for number, place in enumerate(
        sorted(rng.integers(log.warmup, len(log.events), profiles).tolist())
    ):
        user = f"{FAKE}user-{number}"
        fillers = [str(one) for one in rng.choice(popular, FILLERS, replace=False)]
        added.setdefault(place, []).extend((user, item) for item in [*fillers, pushed])
    return _merged(log.events, added), pushed


def _merged(
    events: Sequence[LogRecord], added: Mapping[int, Sequence[tuple[str, str]]]
) -> list[LogRecord]:
    merged: list[LogRecord] = []
    for place, record in enumerate(events):
        merged.append(record)
        ts = orjson.loads(record.value)["ts"]
        for user, item in added.get(place, ()):
            merged.append(rating(len(merged), user, item, ts))
    return merged


class Engine(InlineEngine):
    """The inline engine whose learner does not count what was injected."""

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        super().__init__(settings, encoder)
        self.learned = self.learner
        self.learner = Uncounted(self.learner)  # type: ignore[assignment]

    def run(self, items: Sequence[LogRecord], events: Sequence[LogRecord], warmup: int) -> float:
        """Seconds of processor time for the events."""
        for _ in self.play(items, BATCH):
            pass
        started = time.process_time()
        for part in (events[:warmup], events[warmup:]):
            self.learned.figures.reset()
            for _ in self.play(part, BATCH):
                pass
        return time.process_time() - started

    def exposure(self, item_id: str) -> float:
        """The item's share of the places in all tested top tens."""
        shown = self.learned.figures.arrays()["shown"]
        row = self.learned.meta()["items"].index(item_id)
        return float(shown[row] / shown.sum()) if row < len(shown) else 0.0


def measure(log: Log, settings: Settings, encoder: Encoder, seed: int) -> dict[str, Any]:
    """One variant on the four streams.

    ndcg10 by slice; exposure of the pushed item with no attack, and with each.
    """
    clean, noise = Engine(settings, encoder), Engine(settings, encoder)
    seconds = clean.run(log.items, log.events, log.warmup)
    noise.run(log.items, noisy(log, np.random.default_rng(seed)), log.warmup)
    exposure: dict[str, float] = {}
    for name, share in ATTACKS.items():
        events, pushed = attacked(log, share, np.random.default_rng(seed))
        engine = Engine(settings, encoder)
        engine.run(log.items, events, log.warmup)
        exposure |= {"none": clean.exposure(pushed), name: engine.exposure(pushed)}
    return {
        "ndcg10": clean.learned.figures.ndcg10(),
        "ndcg10_noise": noise.learned.figures.ndcg10(),
        "exposure": exposure,
        "ms_an_event": round(1000 * seconds / len(log.events), 2),
    }


def print_table(results: Mapping[str, Mapping[str, Any]]) -> None:
    table = Table(
        "variant",
        *SLICES,
        "all, 5 % noise",
        *(f"exposure, {name}" for name in ("none", *ATTACKS)),
        "ms an event",
    )
    for name, result in results.items():
        quality = [f"{result['ndcg10'][slice_]:.4f}" for slice_ in SLICES]
        exposure = [f"{result['exposure'][attack]:.3%}" for attack in ("none", *ATTACKS)]
        table.add_row(
            name,
            *quality,
            f"{result['ndcg10_noise']['all']:.4f}",
            *exposure,
            str(result["ms_an_event"]),
        )
    Console(width=140).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    base = replace(settings.learner, seed=arguments.seed, test_sample=1.0)
    log = load_log(arguments.log, None, arguments.ratings)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    results = {}
    for name in arguments.variants:
        learner = replace(base, **VARIANTS[name])
        results[name] = measure(log, replace(settings, learner=learner), encoder, arguments.seed)
        print(name, results[name], flush=True)
    print_table(results)
    tracked.tell(
        {
            "log": str(arguments.log),
            "ratings": len(log.events),
            "seed": arguments.seed,
            "variants": results,
        }
    )


if __name__ == "__main__":
    main()
