"""What weights on purchases, long dwells and returns cost in clicks and bring: a drawn shop whose
items differ in what follows a click, so that the truth of every list is known, and what a log of
explored lists says of it.

    python -m bench.uses.objectives [--items 600] [--users 200] [--visits 40] [--pool 20]
        [--by-lot 0.8] [--seed 7] [--weights 0.5 1 2 4 8 16]

One engine learns from what users do with the lists they are shown, and makes each list under every
setting: all see the same states and the same model, whose lists are for clicks alone until the
first that is asked for. A part of the lists is by lot: ten of the `--pool` best, each order as
likely as another, so each item stood at each place with a propensity of 1 / pool. On the other
visits the list for clicks alone is shown. The first third of the visits is not looked at.

Clicks, purchases, long dwells and returns a list are expectations by the truth, over the lists that
were by lot: of each place its chance of a click times the chance of what follows. Beside them what
the log of those lists says of the setting by inverse propensity (IPS) and self-normalized (SNIPS),
of the purchases, with 95 % intervals (docs/exploration.md). Prints a table, then one JSON object as
the last line.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from encoders.hashing import HashingEncoder
from learner.testing.off_policy import Places, Valued, value
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import Settings

T0 = 1_700_000_000_000
PLACES = 10
WARMUP = 1 / 3
KINDS = ("chairs", "lamps", "tents", "knives", "shoes", "books", "plants", "bikes", "pans", "rugs")
SHORT_MS, LONG_MS = 8_000, 90_000
DAY_MS = 86_400_000
FOLLOWS = ("purchases", "dwells", "returns")


@dataclass(frozen=True, slots=True)
class Shop:
    """kinds: (n,) of each item. appeal: (n,) to whoever likes its kind. follow: (n, 3) chances of a
    purchase, a long dwell and a return after a click. likes: (u, kinds) what each user likes.
    """

    kinds: NDArray[np.int64]
    appeal: NDArray[np.float64]
    follow: NDArray[np.float64]
    likes: NDArray[np.bool_]

    def clicked(self, user: int, items: Sequence[int]) -> NDArray[np.float64]:
        """Chances of a click on each of a list, first place first."""
        rows = np.array(items, np.int64)
        wish = -1.5 + 2.0 * self.likes[user, self.kinds[rows]] + self.appeal[rows]
        seen = 1.0 / np.log2(2.0 + np.arange(len(rows)))
        return np.asarray(seen / (1.0 + np.exp(-wish)))


def drawn_shop(items: int, users: int, rng: np.random.Generator) -> Shop:
    """Half of what items differ by in what follows is their kind's, half their own."""
    kinds = np.arange(items) % len(KINDS)
    usual = rng.beta(2.0, 4.0, (len(KINDS), len(FOLLOWS)))
    own = rng.beta(4.0 * usual[kinds] + 0.1, 4.0 * (1.0 - usual[kinds]) + 0.1)
    likes = np.zeros((users, len(KINDS)), np.bool_)
    for user in range(users):
        likes[user, rng.choice(len(KINDS), 3, replace=False)] = True
    return Shop(kinds, rng.normal(0.0, 0.7, items), own, likes)


@dataclass(slots=True)
class Tally:
    """truth: of each list the expected clicks, purchases, dwells and returns. target: of each
    place that was shown by lot, 1 where the setting puts the same item there.
    """

    truth: list[NDArray[np.float64]] = field(default_factory=list)
    target: list[float] = field(default_factory=list)


class Market:
    """The shop's users before an engine's lists."""

    def __init__(
        self, shop: Shop, objectives: Mapping[str, str | None], pool: int, by_lot: float, seed: int
    ) -> None:
        settings = Settings()
        learner = replace(
            settings.learner, fused=False, explore=0.0, objectives="purchase=1", seed=seed
        )
        self.engine = InlineEngine(replace(settings, learner=learner), HashingEncoder(64))
        self.tallies = {name: Tally() for name in objectives}
        self.user: list[int] = []
        self.reward: list[float] = []
        self._shop, self._pool, self._by_lot = shop, pool, by_lot
        self._settings = {
            name: replace(learner, objectives=text) for name, text in objectives.items()
        }
        self._rng = np.random.default_rng(seed)
        self._clock = np.full(len(shop.likes), T0, np.int64)
        self._appended = 0
        self._made: dict[str, list[int]] = {}
        self._asking: tuple[str, ...] = ()
        items = [self._item(number) for number in range(len(shop.kinds))]
        for _ in self.engine.play(items, 256):
            pass
        self._rank = self.engine.learner.rank
        self.engine.learner.rank = self._every  # type: ignore[method-assign]

    def _item(self, number: int) -> LogRecord:
        kind = KINDS[self._shop.kinds[number]]
        told = {"item_id": f"i{number}", "title": f"{kind} no. {number}", "categories": [kind]}
        return self._line(Topic.ITEMS, {"ts": T0, **told})

    def _line(self, topic: Topic, told: Mapping[str, Any]) -> LogRecord:
        self._appended += 1
        key = str(told.get("user_id", told.get("item_id"))).encode()
        return LogRecord(self._appended, topic, key, orjson.dumps(told))

    def _every(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """Of what is asked for; what answers a click nobody looks at."""
        for name in self._asking:
            own = self._settings[name]
            self.engine.learner.ranking.settings = own
            [entries] = self._rank(requests)
            self._made[name] = [int(one.item_id[1:]) for one in entries]
        self.engine.learner.ranking.settings = next(iter(self._settings.values()))
        return [() for _ in requests]

    def visit(self, user: int, looked_at: bool) -> None:
        """A list, what the user does with it, and when they come next."""
        lot = self._rng.random() < self._by_lot
        looked_at &= lot
        names = tuple(self.tallies)
        self._asking = names if looked_at else names[:1]
        name = f"r{self._appended}"
        asked = {"event_id": name, "user_id": f"u{user}", "request_id": name, "k": self._pool}
        self.engine.process([self._line(Topic.REQUESTS, asked | {"ts": int(self._clock[user])})])
        self._asking, best = (), self._made[names[0]]
        pool = self._rng.permutation(best) if lot else np.array(best)
        shown = [int(one) for one in pool[:PLACES]]
        clicks = self._rng.random(len(shown)) < self._shop.clicked(user, shown)
        follows = self._rng.random((len(shown), len(FOLLOWS))) < self._shop.follow[shown]
        if looked_at and len(best) == self._pool:
            self._look(user, shown, clicks & follows[:, 0])
        self._act(user, shown, clicks, follows)

    def _look(self, user: int, shown: list[int], bought: NDArray[np.bool_]) -> None:
        self.user += [user] * len(shown)
        self.reward += bought.astype(float).tolist()
        for name, made in self._made.items():
            top, tally = made[:PLACES], self.tallies[name]
            chances = self._shop.clicked(user, top)
            tally.truth.append(np.append(chances.sum(), chances @ self._shop.follow[top]))
            tally.target += [float(one == two) for one, two in zip(top, shown, strict=True)]

    def _act(
        self,
        user: int,
        shown: list[int],
        clicks: NDArray[np.bool_],
        follows: NDArray[np.bool_],
    ) -> None:
        lines, comes_back = [], False
        for place in np.flatnonzero(clicks):
            bought, stays, back = follows[place]
            actions = ["click", "purchase"] if bought else ["click"]
            lines += [self._action(user, shown[place], one) for one in actions]
            self._clock[user] += LONG_MS if stays else SHORT_MS
            comes_back |= bool(back)
        lines.append(self._action(user, shown[-1], "skip"))
        self.engine.process(lines)
        self._clock[user] += DAY_MS if comes_back else 30 * DAY_MS

    def _action(self, user: int, item: int, action: str) -> LogRecord:
        self._clock[user] += 1_000
        told = {"user_id": f"u{user}", "item_id": f"i{item}", "action": action}
        event = {"event_id": f"e{self._appended}", "ts": int(self._clock[user])}
        return self._line(Topic.CLICKS, told | event)

    def valued(self, name: str) -> Valued:
        """What the log says of a place of a setting's lists, in purchases."""
        count = len(self.reward)
        return value(
            Places(
                user=np.array(self.user, np.int64),
                reward=np.array(self.reward),
                propensity=np.full(count, 1.0 / self._pool),
                target=np.array(self.tallies[name].target),
                predicted=np.zeros(count),
                expected=np.zeros(count),
            )
        )


def told(market: Market, name: str) -> dict[str, Any]:
    """Figures of one setting, a list."""
    truth = np.array(market.tallies[name].truth)
    found = market.valued(name)
    clicks, *follows = (float(one) for one in truth.mean(axis=0))
    estimates = {
        kind: None
        if one is None
        else [PLACES * number for number in (one.value, one.low, one.high)]
        for kind, one in (("ips", found.ips), ("snips", found.snips))
    }
    return {
        "lists": len(truth),
        "clicks": clicks,
        **dict(zip(FOLLOWS, follows, strict=True)),
        **estimates,
        "covered": found.covered and found.covered.value,
        "abstains": found.abstains,
    }


def curve(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """By setting, the first for clicks alone."""
    rng = np.random.default_rng(arguments.seed)
    shop = drawn_shop(arguments.items, arguments.users, rng)
    objectives: dict[str, str | None] = {"clicks alone": None} | {
        f"purchase={weight:g}": f"purchase={weight:g}" for weight in arguments.weights
    }
    objectives |= {one: one for one in ("dwell=4", "return=4", "purchase=2,dwell=2,return=2")}
    market = Market(shop, objectives, arguments.pool, arguments.by_lot, arguments.seed)
    for number in range(arguments.visits):
        for user in rng.permutation(arguments.users):
            market.visit(int(user), number >= WARMUP * arguments.visits)
    return {name: told(market, name) for name in objectives}


def show(found: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    """The table."""
    some = next(iter(found.values()))
    columns = ("objectives", "clicks", *FOLLOWS, "purchases by IPS", "by SNIPS", "covered")
    table = Table(*columns, title=f"a drawn shop: a list, of {some['lists']:,} lists")
    for name, one in found.items():
        table.add_row(
            name,
            *(f"{one[figure]:.4f}" for figure in ("clicks", *FOLLOWS)),
            *(_interval(one[kind]) for kind in ("ips", "snips")),
            "" if one["covered"] is None else f"{one['covered']:.2f}",
        )
    console.print(table)


def _interval(one: Sequence[float] | None) -> str:
    return "none" if one is None else f"{one[0]:.4f} ({one[1]:.4f} to {one[2]:.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=600)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--visits", type=int, default=40)
    parser.add_argument("--pool", type=int, default=20)
    parser.add_argument("--by-lot", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--weights", type=float, nargs="*", default=[0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
    arguments = parser.parse_args()
    busy, tracked = load(), BenchRun(__file__, arguments)
    found = curve(arguments)
    show(found, Console(width=150))
    tracked.tell({"hardware": hardware(), "load": busy, "curve": found})


if __name__ == "__main__":
    main()
