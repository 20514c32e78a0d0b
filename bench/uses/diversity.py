"""What diversity, calibration and one place a group cost and bring: lists of the same log under
each setting, from the same states and the same model.

    python -m bench.uses.diversity data/movielens/events.jsonl.gz [--events 6000] [--batch 8]
        [--diversity 0.5 1 2 4] [--calibration 0.5 1 2] [--products 150] [--sizes 20] [--seed 7]

A replayed log does not answer to what is shown, so all runs learn the same; their lists differ in
the setting alone. NDCG@10: of each liked event, in the list that its user had been sent before
(test, then learn, micro-batch by micro-batch), after the first fifth; its change is paired, the
interval 95 %. Distance: 1 less the cosine of text vectors, mean of the pairs of a list. Coverage:
part of the catalogue that stood in any list. Divergence: of a list's categories from what its user
liked (docs/fairness.md).

Then a made-up shop of products in so many sizes, whose users choose products of a kind that is
theirs, in any size: the part of a list's places that go to a product which stands above already,
and HR@10 of the product that is liked next; by the titles' stems, and by a group that the shop
tells. Prints two tables, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders.load import load_encoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings, Settings, load_settings
from upwell.values import LIKED_RATING, speaks_for

WARMUP = 0.2
T0 = 1_700_000_000_000
SIZES = ("XS", "S", "M", "L", "XL", "XXL", "3XL", *map(str, range(34, 47)))
KINDS = ("shirt", "jacket", "trousers", "dress", "boots", "hat", "scarf", "jumper", "skirt", "coat")
CUTS = ("slim", "wide", "long", "short", "soft", "warm", "light", "formal", "sporty", "plain")
STUFFS = ("cotton", "linen", "wool", "leather", "denim", "silk", "velvet", "corduroy")


@dataclass(slots=True)
class Tally:
    """gains: of each target, 0 where its user's list did not hold it. distances: of each list.
    repeated, places: of products in lists. shown: items.
    """

    gains: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    repeated: int = 0
    places: int = 0
    divergence: float = 0.0


def run(
    log: Log,
    settings: Settings,
    encoder: Encoder,
    batch: int,
    product: Callable[[str], str] = str,
) -> Tally:
    """One engine over the log. product: of an item's id; a target is found where its product is."""
    engine = InlineEngine(settings, encoder)
    for _ in engine.play(log.items, 256):
        pass
    tally, newest = Tally(), dict[str, tuple[Entry, ...]]()
    for start in range(0, len(log.events), batch):
        some = log.events[start : start + batch]
        if start >= WARMUP * len(log.events):
            for value in (orjson.loads(line.value) for line in some):
                if _likes(value):
                    shown = [product(one.item_id) for one in newest.get(value["user_id"], ())]
                    tally.gains.append(_gain(shown, product(value["item_id"])))
        for fresh in engine.process(some).lists:
            newest[fresh.user_id] = fresh.items
            _look(tally, [one.item_id for one in fresh.items], engine, product)
    users = engine.fair.report()["users"].values()
    known = [(one["lists"], one["divergence"]) for one in users if one["divergence"] is not None]
    tally.divergence = sum(part * far for part, far in known) / sum(part for part, _ in known)
    return tally


def _likes(value: dict[str, Any]) -> bool:
    if "rating" in value:
        return bool(value["rating"] >= LIKED_RATING)
    return speaks_for(value.get("action", ""))


def _gain(shown: Sequence[str], target: str) -> float:
    found = (place for place, one in enumerate(shown[:10], 1) if one == target)
    place = next(found, 0)
    return 1.0 / math.log2(1 + place) if place else 0.0


def _look(
    tally: Tally, items: Sequence[str], engine: InlineEngine, product: Callable[[str], str]
) -> None:
    vectors = [vector for one in items if (vector := engine.catalogue.vector(one)) is not None]
    tally.shown.update(items)
    tally.places += len(items)
    tally.repeated += len(items) - len({product(one) for one in items})
    if len(vectors) > 1:
        every = np.stack(vectors)
        alike = (every @ every.T)[np.triu_indices(len(vectors), 1)]
        tally.distances.append(float(1.0 - alike.mean()))


def told(tally: Tally, before: Tally, items: int) -> dict[str, Any]:
    """Figures of one run beside those of the first."""
    change = np.array(tally.gains) - np.array(before.gains)
    error = 1.96 * float(change.std(ddof=1)) / math.sqrt(len(change))
    return {
        "ndcg10": float(np.mean(tally.gains)),
        "hr10": float(np.mean(np.array(tally.gains) > 0.0)),
        "change": float(change.mean()),
        "interval": [float(change.mean()) - error, float(change.mean()) + error],
        "distance": float(np.mean(tally.distances)),
        "coverage": len(tally.shown) / items,
        "divergence": tally.divergence,
        "repeated": tally.repeated / max(1, tally.places),
        "lists": len(tally.distances),
        "targets": len(tally.gains),
    }


def curve(
    log: Log, settings: Settings, encoder: Encoder, arguments: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """By setting, the first with none."""
    changes: dict[str, dict[str, float]] = {"none": {}} | {
        f"{name} {strength:g}": {name: strength}
        for name in ("diversity", "calibration")
        for strength in getattr(arguments, name)
    }
    found: dict[str, dict[str, Any]] = {}
    first: Tally | None = None
    for name, change in changes.items():
        tally = run(log, _with(settings, **change), encoder, arguments.batch)
        first = first or tally
        found[name] = told(tally, first, len(log.items))
    return found


def _with(settings: Settings, **change: Any) -> Settings:
    learner: LearnerSettings = replace(settings.learner, **change)
    return replace(settings, learner=learner)


def shop(products: int, sizes: int, events: int, seed: int, grouped: bool) -> Log:
    """Products p0, p1, … in sizes, as items p0-0, p0-1, …; grouped: the items say of which."""
    rng, items, done = np.random.default_rng(seed), list[LogRecord](), list[LogRecord]()
    kinds = [KINDS[number % len(KINDS)] for number in range(products)]
    for number, kind in enumerate(kinds):
        cut = CUTS[number // len(KINDS) % len(CUTS)]
        stuff = STUFFS[number // (len(KINDS) * len(CUTS)) % len(STUFFS)]
        for size in range(sizes):
            title = f"{cut.title()} {stuff} {kind}, size {SIZES[size % len(SIZES)]}"
            more = {"group": f"p{number}"} if grouped else {}
            value = {
                "item_id": f"p{number}-{size}",
                "title": title,
                "categories": [kind],
                "brand": "Own",
            }
            items.append(_record(Topic.ITEMS, value | more, len(items)))
    for number in range(events):
        user = int(rng.integers(60))
        own = [place for place, kind in enumerate(kinds) if kind == KINDS[user % len(KINDS)]]
        place = own[int(len(own) * rng.random() ** 2)]
        item_id = f"p{place}-{int(rng.integers(sizes))}"
        value = {"user_id": f"u{user}", "item_id": item_id, "action": "click"}
        done.append(_record(Topic.CLICKS, value | {"event_id": f"e{number}"}, number))
    return Log(items, done)


def _record(topic: Topic, value: dict[str, Any], number: int) -> LogRecord:
    key = str(value.get("user_id", value["item_id"])).encode()
    return LogRecord(number, topic, key, orjson.dumps({"ts": T0 + 1_000 * number, **value}))


def shops(
    settings: Settings, encoder: Encoder, arguments: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """By what tells variants apart, the first with nothing."""
    found: dict[str, dict[str, Any]] = {}
    first: Tally | None = None
    for name, most, grouped in (("nothing", 0, False), ("stems", 1, False), ("groups", 1, True)):
        made = (arguments.products, arguments.sizes, arguments.shop_events, arguments.seed)
        log = shop(*made, grouped)
        own = _with(settings, same_group=most)
        tally = run(log, own, encoder, arguments.batch, lambda one: one.rpartition("-")[0])
        first = first or tally
        found[name] = told(tally, first, len(log.items))
    return found


def show(title: str, first: str, runs: dict[str, dict[str, Any]], console: Console) -> None:
    """One of the two tables."""
    some = next(iter(runs.values()))
    columns = (first, "NDCG@10", "less the first's", "HR@10", "distance", "coverage", "divergence")
    table = Table(
        *(*columns, "repeated"),
        title=f"{title}: {some['lists']:,} lists, {some['targets']:,} targets",
    )
    for name, one in runs.items():
        low, high = one["interval"]
        table.add_row(
            name,
            f"{one['ndcg10']:.5f}",
            f"{one['change']:+.5f} ({low:+.5f} to {high:+.5f})" if one is not some else "",
            f"{one['hr10']:.4f}",
            *(f"{one[figure]:.3f}" for figure in ("distance", "coverage", "divergence")),
            f"{one['repeated']:.3f}",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, default=6_000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--diversity", type=float, nargs="*", default=[0.5, 1.0, 2.0, 4.0])
    parser.add_argument("--calibration", type=float, nargs="*", default=[0.5, 1.0, 2.0])
    parser.add_argument("--products", type=int, default=150)
    parser.add_argument("--sizes", type=int, default=20)
    parser.add_argument("--shop-events", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    busy, tracked = load(), BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    settings = _with(settings, seed=arguments.seed, fused=False, explore=0.0)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    console = Console(width=130)
    log = load_log(arguments.log, arguments.events, None)
    found = curve(log, settings, encoder, arguments)
    show(arguments.log.name, "setting", found, console)
    sold = shops(settings, encoder, arguments)
    title = f"a shop of {arguments.products} products in {arguments.sizes} sizes"
    show(title, "variants by", sold, console)
    encoder.close()
    tracked.tell({"hardware": hardware(), "load": busy, "curve": found, "shop": sold})


if __name__ == "__main__":
    main()
