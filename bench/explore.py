"""The price of exploration, and what it buys: lists with and without lots over the same log, from
the same states and the same model.

    python -m bench.explore data/movielens/events.jsonl.gz [--ratings 10000] [--chances 0 0.05 0.5]
    [--seed N]

A replayed log does not answer to what is shown, so all runs learn the same; their lists differ in
the lots alone. NDCG@10: of each liked event, in the list that its user had been sent before (its
micro-batch apart), over the events after the first tenth. New: an item of at most two events.
Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders.load import load_encoder
from stream.replay.inline import InlineEngine
from upwell.ports import Encoder
from upwell.recommendations import Entry
from upwell.settings import Settings, load_settings
from upwell.values import LIKED_RATING

BATCH = 32
CHANCES = (0.0, 0.05, 0.5)
NEW_EVENTS = 2


@dataclass(slots=True)
class Tally:
    """What lists were worth.

    gains: of each target, 0 where the list did not hold it. drawn: entries by lot.
    """

    gains: list[float] = field(default_factory=list)
    new_gains: list[float] = field(default_factory=list)
    lists: int = 0
    drawn: int = 0
    new_entries: int = 0
    new_items: set[str] = field(default_factory=set)

    def figures(self) -> dict[str, Any]:
        return {
            "targets": len(self.gains),
            "ndcg10": sum(self.gains) / len(self.gains),
            "new_targets": len(self.new_gains),
            "ndcg10_new": sum(self.new_gains) / max(1, len(self.new_gains)),
            "lists": self.lists,
            "drawn": self.drawn,
            "new_entries": self.new_entries,
            "new_items": len(self.new_items),
        }


def run(log: Log, settings: Settings, encoder: Encoder, chance: float) -> dict[str, Any]:
    """One engine over the log."""
    engine = InlineEngine(
        replace(settings, learner=replace(settings.learner, explore=chance)), encoder
    )
    for _ in engine.play(log.items, 256):
        pass
    tally, newest, events = Tally(), dict[str, tuple[Entry, ...]](), dict[str, int]()
    for start in range(0, len(log.events), BATCH):
        batch = log.events[start : start + BATCH]
        values = [orjson.loads(line.value) for line in batch]
        for value in values:
            if start >= log.warmup and value.get("rating", 0.0) >= LIKED_RATING:
                _test(tally, newest.get(value["user_id"], ()), value["item_id"], events)
        for fresh in engine.process(batch).lists:
            newest[fresh.user_id] = fresh.items
            if start >= log.warmup:
                _count(tally, fresh.items, events)
        for value in values:
            events[value["item_id"]] = events.get(value["item_id"], 0) + 1
    return tally.figures()


def _test(tally: Tally, shown: tuple[Entry, ...], target: str, events: dict[str, int]) -> None:
    place = next(
        (number for number, entry in enumerate(shown[:10], 1) if entry.item_id == target), 0
    )
    tally.gains.append(1.0 / math.log2(1 + place) if place else 0.0)
    if events.get(target, 0) <= NEW_EVENTS:
        tally.new_gains.append(tally.gains[-1])


def _count(tally: Tally, entries: tuple[Entry, ...], events: dict[str, int]) -> None:
    tally.lists += 1
    tally.drawn += sum(entry.explored for entry in entries)
    new = [entry.item_id for entry in entries if events.get(entry.item_id, 0) <= NEW_EVENTS]
    tally.new_entries += len(new)
    tally.new_items.update(new)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--chances", type=float, nargs="+", default=CHANCES)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    settings = replace(
        settings, learner=replace(settings.learner, seed=arguments.seed, fused=False)
    )
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    log = load_log(arguments.log, None, arguments.ratings)
    runs = {f"{chance:g}": run(log, settings, encoder, chance) for chance in arguments.chances}
    encoder.close()
    first = next(iter(runs.values()))
    title = (
        f"{arguments.log}, {len(log.events):,} ratings, {first['targets']:,} targets "
        f"({first['new_targets']:,} on new items)"
    )
    table = Table(
        "explore",
        "NDCG@10",
        "on new items",
        "lists",
        "by lot",
        "new entries",
        "different new items",
        title=title,
    )
    for name, found in runs.items():
        counted = (f"{found[key]:,}" for key in ("lists", "drawn", "new_entries", "new_items"))
        table.add_row(name, f"{found['ndcg10']:.5f}", f"{found['ndcg10_new']:.5f}", *counted)
    Console(width=120).print(table)
    tracked.tell(
        {
            "log": str(arguments.log),
            "seed": arguments.seed,
            "hardware": hardware(),
            "explore": runs,
        }
    )


if __name__ == "__main__":
    main()
