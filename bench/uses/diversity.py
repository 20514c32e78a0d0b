"""What diversity, calibration and one place a group cost and bring: lists under each setting, from
the same states and the same model.

    python -m bench.uses.diversity data/movielens/events.jsonl.gz [--events 4000] [--batch 8]
        [--diversity 0.5 1 2 4] [--calibration 0.5 1 2] [--products 100] [--sizes 20] [--seed 7]

One engine learns from the log, and makes each list under every setting: a replayed log does not
answer to what is shown. NDCG@10: of each liked event, in its user's list before it (test,
then learn, micro-batch by micro-batch), after the first fifth; its change is paired, the
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
from collections.abc import Callable, Mapping, Sequence
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
from stream.chain.privacy import Pseudonymizer
from stream.fairness.calibration import category_mix, divergence
from stream.fairness.exposure import discounts
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder, RankRequest
from upwell.recommendations import Entry
from upwell.settings import Settings, load_settings
from upwell.values import LIKED_RATING, speaks_for

WARMUP = 0.2
T0 = 1_700_000_000_000
SIZES = ("XS", "S", "M", "L", "XL", "XXL", "3XL", *map(str, range(34, 47)))
KINDS = ("shirt", "jacket", "trousers", "dress", "boots", "hat", "scarf", "jumper", "skirt", "coat")
CUTS = ("slim", "wide", "long", "short", "soft", "warm", "light", "formal", "sporty", "plain")
STUFFS = ("cotton", "linen", "wool", "leather", "denim", "silk", "velvet", "corduroy")


@dataclass(slots=True)
class Tally:
    """gains: of each target, 0 where its user's list did not hold it. distances, far: of each list.
    repeated, places: of products in lists. shown: items. newest: by user what was shown last.
    """

    gains: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    far: list[float] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    newest: dict[str, list[str]] = field(default_factory=dict)
    repeated: int = 0
    places: int = 0


class Variants:
    """An engine whose lists are made under each of some settings, and published by the first."""

    def __init__(
        self,
        log: Log,
        settings: Settings,
        encoder: Encoder,
        changes: Mapping[str, Mapping[str, Any]],
        product: Callable[[str], str] = str,
    ) -> None:
        self.engine = InlineEngine(settings, encoder)
        self.tallies = {name: Tally() for name in changes}
        self._settings = {
            name: replace(settings.learner, **change) for name, change in changes.items()
        }
        self._product = product
        self._rank = self.engine.learner.rank
        for _ in self.engine.play(log.items, 256):
            pass
        self.engine.learner.rank = self._every  # type: ignore[method-assign]

    def play(self, log: Log, batch: int) -> None:
        """Test, then learn."""
        for start in range(0, len(log.events), batch):
            some = log.events[start : start + batch]
            if start >= WARMUP * len(log.events):
                for value in (orjson.loads(line.value) for line in some):
                    if _likes(value):
                        self._test(value["user_id"], self._product(value["item_id"]))
            self.engine.process(some)

    def _test(self, user_id: str, target: str) -> None:
        user = Pseudonymizer(bytes(32)).pseudonym(user_id)
        for tally in self.tallies.values():
            tally.gains.append(_gain(tally.newest.get(user, ()), target))

    def _every(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """What is asked changes nothing that was learned, so each setting sees the same model."""
        found = []
        for name, own in self._settings.items():
            self.engine.learner.ranking.settings = own
            lists = self._rank(requests)
            for request, entries in zip(requests, lists, strict=True):
                self._look(self.tallies[name], request, [one.item_id for one in entries])
            found.append(lists)
        return found[0]

    def _look(self, tally: Tally, request: RankRequest, items: list[str]) -> None:
        ranking, products = self.engine.learner.ranking, [self._product(one) for one in items]
        tally.newest[request.state.user] = products
        rows = np.array(ranking.catalogue.rows(items), np.int64)
        tally.shown.update(items)
        tally.places += len(items)
        tally.repeated += len(items) - len(set(products))
        if len(rows) < 2:
            return
        every = ranking.catalogue.graph.vectors[rows]
        alike = (every @ every.T)[np.triu_indices(len(rows), 1)]
        tally.distances.append(float(1.0 - alike.mean()))
        liked = [one.item_id for one in request.state.history if one.liked and one.item_id]
        had = np.array(ranking.catalogue.rows(liked[-50:]), np.int64)
        codes = ranking.state().features.categories
        wish = category_mix(codes[had], np.ones(len(had)))
        mix = category_mix(codes[rows], discounts(len(rows)))
        if wish.any() and mix.any():
            tally.far.append(divergence(wish, mix))


def _likes(value: dict[str, Any]) -> bool:
    if "rating" in value:
        return bool(value["rating"] >= LIKED_RATING)
    return speaks_for(value.get("action", ""))


def _gain(shown: Sequence[str], target: str) -> float:
    found = (place for place, one in enumerate(shown[:10], 1) if one == target)
    place = next(found, 0)
    return 1.0 / math.log2(1 + place) if place else 0.0


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
        "divergence": float(np.mean(tally.far)),
        "repeated": tally.repeated / max(1, tally.places),
        "lists": len(tally.distances),
        "targets": len(tally.gains),
    }


def curve(
    log: Log, settings: Settings, encoder: Encoder, arguments: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """By setting, the first with none."""
    changes: dict[str, dict[str, Any]] = {"none": {}} | {
        f"{name} {strength:g}": {name: strength}
        for name in ("diversity", "calibration")
        for strength in getattr(arguments, name)
    }
    made = Variants(log, settings, encoder, changes)
    made.play(log, arguments.batch)
    first = made.tallies["none"]
    return {name: told(one, first, len(log.items)) for name, one in made.tallies.items()}


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
    for name, grouped in (("stems", False), ("groups", True)):
        asked = (arguments.products, arguments.sizes, arguments.shop_events, arguments.seed)
        log = shop(*asked, grouped)
        changes = {"nothing": {"same_group": 0}, name: {"same_group": 1}}
        made = Variants(log, settings, encoder, changes, lambda one: one.rpartition("-")[0])
        made.play(log, arguments.batch)
        first = made.tallies["nothing"]
        found |= {one: told(made.tallies[one], first, len(log.items)) for one in changes}
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
    parser.add_argument("--events", type=int, default=4_000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--diversity", type=float, nargs="*", default=[0.5, 1.0, 2.0, 4.0])
    parser.add_argument("--calibration", type=float, nargs="*", default=[0.5, 1.0, 2.0])
    parser.add_argument("--products", type=int, default=100)
    parser.add_argument("--sizes", type=int, default=20)
    parser.add_argument("--shop-events", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    busy, tracked = load(), BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=arguments.seed, fused=False, explore=0.0)
    settings = replace(settings, learner=learner)
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
