"""What an action in a history would be worth if its weight were learned: one signal, read with all
actions alike, with weights that are learned as events come, and with weights set by hand.

    python -m bench.uses.actions LOG [--clicks 12000] [--ratings 20000] [--seed 7]

The signal is the transitions of the ten newest items of the history, the newest first, each worth
.85 of the one before, each row divided by what it leads to in all: where a weight could bring the
most, since nothing stands beside it. Each target that speaks for an item its user has not had is
ranked over all items of the log, and learned after. Three logs: the drawn shop of recipes/shop;
MovieLens (LOG), its stars told as actions (below 3.5 a view, from 4.5 a purchase, else a click);
and a world drawn to have what is looked for, where views are of what is popular and purchases of
what suits.

Learned: a target is taken as drawn from what the history leads to, by the weights of its kinds. A
kind's log weight steps by the share of the target that its items gave, less the share that they
have of everything the history leads to (the gradient of that likelihood), by AdaGrad at the rate of
the gate; the mean by use is 0, so that a log of one kind stays as it is, and each is within 1/4
and 4. NDCG@10 after the first tenth, and paired differences with 95 % intervals. Prints a table,
then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from recipes.shop.source import world
from stream.replay.log import LogRecord, read_log
from upwell.events import Topic

__all__ = ["KINDS", "Weights", "compared", "drawn", "gains"]

KINDS: Final = ("view", "click", "cart", "purchase")
VIEW: Final = 0
NEWEST, DECAY = 10, 0.85
KEPT = 50  # of a history
FEW = 5.0  # that a row is taken to lead to beside what it does
RATE, FADES, BOUND = 0.04, 0.9999, math.log(4.0)
BY_HAND: Final = ((1.0, 0.5, 1.0, 2.0), (1.0, 0.25, 1.0, 4.0))

Event = tuple[str, str, int]
"""User, item, place of its kind in `KINDS`."""


@dataclass(slots=True)
class Weights:
    """Of each kind, learned. Never more than fourfold or less than a quarter."""

    logs: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(KINDS)))
    squares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(KINDS)))
    use: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(KINDS)))

    def learn(self, gave: NDArray[np.float64], leads: NDArray[np.float64]) -> None:
        """gave: by kind, how much of the target its items gave. leads: of everything."""
        if not gave.any() or np.count_nonzero(leads) < 2:
            return
        shares = leads / leads.sum()
        steps = gave / gave.sum() - shares
        self.use = FADES * self.use + shares
        self.squares = FADES * np.maximum(self.squares, 1.0) + steps**2
        self.logs += RATE * steps / np.sqrt(self.squares)
        used = self.use > 0.0
        centred = self.logs - (self.logs @ self.use) / self.use.sum()
        self.logs[used] = np.clip(centred[used], -BOUND, BOUND)


@dataclass(slots=True)
class History:
    """A user's newest items first, each once, with the deepest kind of what was done with it."""

    items: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    had: set[int] = field(default_factory=set)

    def add(self, item: int, kind: int) -> None:
        if item in self.items:
            place = self.items.index(item)
            del self.items[place]
            kind = max(kind, self.kinds.pop(place))
        self.items, self.kinds = [item, *self.items][:KEPT], [kind, *self.kinds][:KEPT]
        if kind != VIEW:
            self.had.add(item)


def gains(
    events: Sequence[Event], by_hand: Sequence[float] | None = None
) -> tuple[NDArray[np.float64], list[float]]:
    """NDCG@10 of each target, tested before it is learned, and the weights at the end: learned ones
    where none are set by hand.
    """
    rows = {item: row for row, item in enumerate(dict.fromkeys(item for _, item, _ in events))}
    leads = np.zeros((len(rows), len(rows)), np.float32)
    histories: dict[str, History] = {}
    learned, found = Weights(), []
    for number, (user, item, kind) in enumerate(events):
        history, row = histories.setdefault(user, History()), rows[item]
        newest = np.array(history.items[:NEWEST], np.intp)
        places = DECAY ** np.arange(len(newest))
        if kind != VIEW and row not in history.had and len(newest):
            kinds = np.array(history.kinds[:NEWEST])
            weights = np.exp(learned.logs) if by_hand is None else np.array(by_hand)
            worth = weights[kinds] * places / (leads[newest].sum(axis=1) + FEW)
            scores = worth.astype(np.float32) @ leads[newest]
            allowed = np.ones(len(rows), bool)
            allowed[list(history.had)] = False
            if 10 * number >= len(events):
                found.append(_gain(scores, allowed, row))
            if by_hand is None:
                _learn(learned, kinds, weights[kinds] * places, leads[newest], allowed, row)
        if row not in history.items:
            leads[newest, row] += places
        history.add(row, kind)
    return np.array(found), np.exp(learned.logs).round(2).tolist()


def _gain(scores: NDArray[np.float32], allowed: NDArray[np.bool_], row: int) -> float:
    """Among equals in their middle."""
    others = scores[allowed]
    rank = 0.5 + (others > scores[row]).sum() + 0.5 * (others == scores[row]).sum()
    return 1.0 / math.log2(rank + 1.0) if rank <= 10.0 else 0.0


def _learn(
    learned: Weights,
    kinds: NDArray[np.int64],
    worth: NDArray[np.float64],
    leads: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    row: int,
) -> None:
    everything = leads[:, allowed].sum(axis=1)
    each = worth / (everything + FEW)
    learned.learn(_by_kind(kinds, each * leads[:, row]), _by_kind(kinds, each * everything))


def _by_kind(kinds: NDArray[np.int64], amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(kinds, amounts, len(KINDS)).astype(np.float64)


def shop(seed: int, clicks: int) -> Iterator[Event]:
    for record in world(seed, clicks):
        if record.topic is Topic.CLICKS:
            value = orjson.loads(record.value)
            yield value["user_id"], value["item_id"], KINDS.index(value["action"])


def movielens(log: Path, ratings: int) -> Iterator[Event]:
    records = (one for one in read_log(log) if isinstance(one, LogRecord))
    values = (orjson.loads(one.value) for one in records if one.topic is Topic.REVIEWS)
    rated = (value for value in values if "rating" in value)
    for value in islice(rated, ratings):
        name = "view" if value["rating"] < 3.5 else "click" if value["rating"] < 4.5 else "purchase"
        yield value["user_id"], value["item_id"], KINDS.index(name)


def drawn(seed: int, visits: int = 20_000, users: int = 200, items: int = 300) -> Iterator[Event]:
    """Three visits of five look at what is popular, and a third of them click; the others click
    what suits, and buy three of five.
    """
    draw = np.random.default_rng(seed)
    tastes, kinds = draw.dirichlet(np.full(10, 0.3), users), draw.integers(10, size=items)
    popular = draw.lognormal(0.0, 1.0, items)
    for _ in range(visits):
        user, looks = int(draw.integers(users)), draw.random() < 0.6
        suits = np.ones(items) if looks else kinds == draw.choice(10, p=tastes[user])
        if not suits.any():
            continue
        item = int(draw.choice(items, p=popular * suits / (popular * suits).sum()))
        clicks = not looks or draw.random() < 0.3
        yield f"u{user}", f"i{item}", KINDS.index("click" if clicks else "view")
        if not looks and draw.random() < 0.6:
            yield f"u{user}", f"i{item}", KINDS.index("purchase")


def compared(events: Iterable[Event]) -> dict[str, Any]:
    """The figures of one log. Weights are in the order of `KINDS`."""
    rows = list(events)
    alike, _ = gains(rows, [1.0] * len(KINDS))
    learned, weights = gains(rows)
    ways = [("learned", learned, weights)]
    ways += [("set by hand", gains(rows, one)[0], list(one)) for one in BY_HAND]
    return {
        "events": len(rows),
        "targets": len(alike),
        "alike": round(float(alike.mean()), 4),
        "ways": [
            {"way": way, "weights": by_kind, **_difference(gained - alike)}
            for way, gained, by_kind in ways
        ],
    }


def _difference(paired: NDArray[np.float64]) -> dict[str, float]:
    interval = 1.96 * float(paired.std()) / math.sqrt(len(paired))
    return {"difference": round(float(paired.mean()), 4), "interval": round(interval, 4)}


def show(found: dict[str, dict[str, Any]], screen: Console) -> None:
    table = Table("log", "targets", "alike", "way", *KINDS, "less alike", title="NDCG@10")
    for log, figures in found.items():
        for number, way in enumerate(figures["ways"]):
            shown = (log, str(figures["targets"]), f"{figures['alike']:.4f}")
            table.add_row(
                *(shown if number == 0 else ("", "", "")),
                way["way"],
                *(f"{weight:g}" for weight in way["weights"]),
                f"{way['difference']:+.4f} ±{way['interval']:.4f}",
            )
    screen.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--clicks", type=int, default=12_000)
    parser.add_argument("--ratings", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    busy, tracked = load(), BenchRun(__file__, arguments, arguments.log)
    logs = {
        "the drawn shop": shop(arguments.seed, arguments.clicks),
        "MovieLens as actions": movielens(arguments.log, arguments.ratings),
        "a world drawn to have it": drawn(arguments.seed),
    }
    found = {name: compared(events) for name, events in logs.items()}
    show(found, Console(width=130))
    tracked.tell({"hardware": hardware(), "load": busy, "logs": found})


if __name__ == "__main__":
    main()
