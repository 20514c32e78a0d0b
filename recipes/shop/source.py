"""A shop: visits that look, fill a cart and buy, stock that runs out and comes back, prices that
change. With `--data` the files of ReChorus (as of Amazon's groceries, with complements and
substitutes), which are not Upwell's to pass on; without, drawn by a seed.

Nothing of what is drawn is recorded, and the first line says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from stream.replay.importers import import_log
from stream.replay.log import LogRecord
from stream.replay.recipes.compare import Lists
from stream.replay.recipes.part import part_of
from stream.replay.recipes.peers import ItemKNN, Popular
from stream.replay.recipes.recipe import Asked, Recipe, Source, record
from upwell.events import Topic

__all__ = ["RECIPE", "happened", "world"]

EVENTS = 6_000
CUSTOMERS, PRODUCTS, VISITS_A_DAY = 220, 240, 110
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BEGIN_MS = 1_767_225_600_000  # 2026-01-01
STOCK = 9
"""Pieces of a product that are there at first and after each delivery."""
DELIVERY_DAYS = 2
PRICE_CHANGES = 0.03
"""Of the products, whose price is another on the next day."""
KINDS = {
    "coffee": 9.0,
    "tea": 5.0,
    "pasta": 2.0,
    "oil": 11.0,
    "chocolate": 3.0,
    "cheese": 6.0,
    "cups": 14.0,
    "pans": 45.0,
}
BESIDE = {"coffee": "cups", "tea": "cups", "pasta": "oil", "oil": "pans", "cheese": "pasta"}
"""What goes with what."""
BRANDS = ("Alba", "Borea", "Corvo", "Dulce", "Estia", "Fiume", "Grana", "Hesper")
STYLES = ("dark", "mild", "organic", "classic", "family", "small", "fine", "rustic", "bright")
NAMES = tuple(KINDS)


@dataclass(slots=True)
class Product:
    """kind: by number."""

    item_id: str
    kind: int
    brand: str
    style: str
    price: float
    worth: float
    stock: int = STOCK
    back: int = 0

    def announced(self, ts: int, gone: bool) -> dict[str, Any]:
        """As a record on `items`."""
        return {
            "item_id": self.item_id,
            "ts": ts,
            "title": f"{self.brand} {self.style} {NAMES[self.kind]}",
            "categories": [NAMES[self.kind]],
            "brand": self.brand,
            "price": round(self.price, 2),
            "deleted": gone,
        }


class Shop:
    """Everything that happens, in the order of time, as rows of (ts, topic, key, value)."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.rows: list[tuple[int, Topic, str, dict[str, Any]]] = []
        self.products = [self._product(number) for number in range(PRODUCTS)]
        self._tastes = self._rng.dirichlet(np.full(len(NAMES), 0.4), CUSTOMERS)
        self._brands = self._rng.integers(len(BRANDS), size=(CUSTOMERS, 2))
        self._budget = self._rng.lognormal(0.0, 0.35, CUSTOMERS)
        for one in self.products:
            self._announce(one, BEGIN_MS - DAY_MS, gone=False)

    def _product(self, number: int) -> Product:
        kind = int(self._rng.integers(len(NAMES)))
        brand = BRANDS[self._rng.integers(len(BRANDS))]
        style = STYLES[self._rng.integers(len(STYLES))]
        price = KINDS[NAMES[kind]] * float(self._rng.lognormal(0.0, 0.4))
        return Product(f"p{number}", kind, brand, style, price, float(self._rng.lognormal(0, 0.6)))

    def _announce(self, one: Product, ts: int, gone: bool) -> None:
        self.rows.append((ts, Topic.ITEMS, one.item_id, one.announced(ts, gone)))

    def day(self, number: int) -> None:
        """Deliveries and prices in the morning, then visits."""
        begin = BEGIN_MS + number * DAY_MS
        for one in self.products:
            delivered = one.stock <= 0 and number >= one.back
            repriced = self._rng.random() < PRICE_CHANGES
            if delivered:
                one.stock = STOCK
            if repriced:
                one.price *= float(self._rng.choice((0.75, 1.2)))
            if delivered or (repriced and one.stock > 0):
                self._announce(one, begin + HOUR_MS, gone=False)
        hours = np.sort(np.clip(self._rng.normal(15.0, 4.0, VISITS_A_DAY), 2.0, 23.0))
        for hour in hours:
            self._visit(int(self._rng.integers(CUSTOMERS)), begin + int(hour * HOUR_MS), number)

    def _visit(self, customer: int, at: int, day: int) -> None:
        kind = int(self._rng.choice(len(NAMES), p=self._tastes[customer]))
        basket: list[Product] = []
        for _ in range(1 + int(self._rng.geometric(0.35))):
            one = self._choice(customer, kind)
            if one is None:
                break
            self._says(customer, one, "click", at)
            at += int(self._rng.integers(10_000, 90_000))
            if self._rng.random() < 0.45 and one not in basket:
                basket.append(one)
                self._says(customer, one, "cart", at)
                at += 5_000
                kind = NAMES.index(BESIDE.get(NAMES[kind], NAMES[kind]))
        if basket and self._rng.random() < 0.7:
            for one in basket:
                self._buy(customer, one, at, day)
                at += 100

    def _choice(self, customer: int, kind: int) -> Product | None:
        here = [one for one in self.products if one.kind == kind and one.stock > 0]
        if not here:
            return None
        own = [BRANDS[brand] for brand in self._brands[customer]]
        loyal = np.array([4.0 if one.brand in own else 1.0 for one in here])
        usual = KINDS[NAMES[kind]] * self._budget[customer]
        price = np.array([one.price for one in here])
        near = np.exp(-(np.log(price / usual) ** 2) / 0.18)
        worth = np.array([one.worth for one in here]) * loyal * (near + 1e-6)
        return here[int(self._rng.choice(len(here), p=worth / worth.sum()))]

    def _buy(self, customer: int, one: Product, at: int, day: int) -> None:
        if one.stock <= 0:
            return
        self._says(customer, one, "purchase", at)
        one.stock -= 1
        if one.stock == 0:
            one.back = day + DELIVERY_DAYS
            self._announce(one, at + 50, gone=True)

    def _says(self, customer: int, one: Product, action: str, at: int) -> None:
        user = f"c{customer}"
        value = {"event_id": f"e{len(self.rows)}", "ts": at, "user_id": user, "action": action}
        self.rows.append((at, Topic.CLICKS, user, value | {"item_id": one.item_id}))


def world(seed: int, events: int) -> Sequence[LogRecord]:
    """The log: all products, then what happens, so many clicks among it."""
    shop, day = Shop(seed), 0
    while sum(row[1] is Topic.CLICKS for row in shop.rows) < events:
        shop.day(day)
        day += 1
    rows, clicks = sorted(shop.rows, key=lambda row: row[0]), 0
    kept = []
    for row in rows:
        clicks += row[1] is Topic.CLICKS
        if clicks <= events:
            kept.append(row)
    return [record(line, *row[1:]) for line, row in enumerate(kept, 1)]


def happened(records: Sequence[LogRecord]) -> str:
    """What became of products after they were announced first, in words."""
    later = [orjson.loads(one.value) for one in records if one.topic is Topic.ITEMS][PRODUCTS:]
    gone = sum(one["deleted"] for one in later)
    return f"stock ran out {gone} times, came back or changed its price {len(later) - gone} times"


def read(asked: Asked) -> Source:
    """Drawn, a log, or a folder with ReChorus' files. Raises `LogError` where these are none."""
    events = asked.events or EVENTS
    if asked.data is None:
        records = world(asked.seed, events)
        said = f"drawn by seed {asked.seed}, nothing recorded: a shop; {happened(records)}"
        return Source(said, records)
    if asked.data.is_file():
        records = part_of(asked.data, events, all_items=True)
        return Source(f"recorded: the first events of {asked.data.name}", records)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        with log.open("wb") as sink:
            import_log("rechorus", asked.data, sink, BEGIN_MS, packed=False)
        records = part_of(log, events)
    return Source(f"recorded: the first purchases in {asked.data}", records)


RECIPE = Recipe(
    "a shop, drawn, or ReChorus' files (--data): carts, stock that runs out, prices that change",
    read,
    Lists({"popular, 7 days": lambda: Popular(7 * DAY_MS), "item-kNN": ItemKNN}),
)
