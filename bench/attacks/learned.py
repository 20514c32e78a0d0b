"""An attacker who learns from the lists, against a defender who answers: a game in rounds.

    python -m bench.attacks.learned LOG [--ratings 3000] [--share .05] [--rounds 3]
    [--generations 3] [--tries 8] [--defences DEFENCE …] [--most-loss .01] [--seed 7] [--every 2]

The attacker has a budget of events, ten for each fake profile of `--share`, and chooses a `Plan`:
how long profiles are, which fillers they rate and how, when the pushed item comes, over what time.
They look at the lists after each try (`--tries` plans a generation) and move towards what pushed
best (cross-entropy method, Rubinstein 1999), beginning each round where the last one ended. They
see all lists, which is more than an attacker has. The defender then takes the defence that leaves
least to the best plan of all rounds, among those whose loss of NDCG@10 without an attack is at most
`--most-loss`. Prints a line a round, then one JSON object.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.attacks.engine import Folder, Outcome
from bench.attacks.profiles import FAKE, POPULAR, START, Fake, World, inserted
from bench.attacks.run import DEFENCES, Bench, named_items
from bench.hardware import hardware
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import load_settings

__all__ = ["Plan", "carried_out", "climb", "play_game"]

PROFILE = 10
"""Events of the budget for each profile of the share."""
MOST_FILLERS = 60
ELITE = 3
FIRST_SPREAD, LEAST_SPREAD = 0.3, 0.05


@dataclass(frozen=True)
class Plan:
    """fillers: items of a profile beside the pushed one. popular, alike: shares of them from the
    most popular items, and of these from those that share a category with the pushed one. stars:
    that they get. place: of the push among a profile's events, 0 first. begin, lasts: when profiles
    come, and over how much of what is left of the log. pace: over how much of that one's events are
    spread.
    """

    fillers: int
    popular: float
    alike: float
    stars: float
    place: float
    begin: float
    lasts: float
    pace: float

    @classmethod
    def of(cls, point: NDArray[np.float64]) -> Plan:
        """point: (8,), within 0 and 1."""
        values = [float(one) for one in np.clip(point, 0.0, 1.0)]
        fillers = round((MOST_FILLERS + 1) ** values[0]) - 1
        stars = round(2 * (0.5 + 4.5 * values[3])) / 2
        return cls(fillers, values[1], values[2], stars, *values[4:])


SIZE = len(Plan.__dataclass_fields__)


def carried_out(
    log: Log, world: World, plan: Plan, pushed: str, budget: int, rng: np.random.Generator
) -> list[LogRecord]:
    """The log's events with the plan's; so many profiles as the budget of events pays."""
    total = len(log.events)
    left = total - int(START * total)
    begin = int(START * total) + int(0.9 * plan.begin * left)
    span = max(1, int(plan.lasts * (total - begin)))
    added: dict[int, list[Fake]] = defaultdict(list)
    for number in range(max(1, budget // (plan.fillers + 1))):
        first = begin + int(rng.integers(span))
        reach = max(1, int(plan.pace * (total - first)))
        events = list(_profile(world, plan, pushed, rng))
        places = np.sort(first + rng.integers(0, reach, len(events)))
        for place, fake in zip(places, events, strict=True):
            added[min(int(place), total - 1)].append({**fake, "user_id": f"{FAKE}user-{number}"})
    return inserted(log.events, added)


def _profile(world: World, plan: Plan, pushed: str, rng: np.random.Generator) -> Iterator[Fake]:
    shared = set(world.categories.get(pushed, ()))
    alike = [one for one in world.popular if shared & set(world.categories.get(one, ()))]
    fillers: list[str] = []
    for _ in range(plan.fillers):
        pool = alike if alike and rng.random() < plan.alike else world.popular
        pool = pool[:POPULAR] if rng.random() < plan.popular else pool
        fillers.append(pool[int(rng.integers(len(pool)))])
    fillers = [one for one in dict.fromkeys(fillers) if one != pushed]
    rated = [(one, plan.stars) for one in fillers]
    rated.insert(round(plan.place * len(rated)), (pushed, 5.0))
    for item, stars in rated:
        yield {"topic": Topic.REVIEWS, "item_id": item, "rating": stars}


@dataclass(frozen=True)
class Search:
    """Where the attacker looks next. mean, spread: (8,)."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def first(cls) -> Search:
        return cls(np.full(SIZE, 0.5), np.full(SIZE, FIRST_SPREAD))

    def drawn(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(count, 8); the first is the mean."""
        points = self.mean + self.spread * rng.standard_normal((count, SIZE))
        points[0] = self.mean
        return np.clip(points, 0.0, 1.0)


def climb(
    search: Search, points: NDArray[np.float64], worth: Sequence[float]
) -> tuple[Search, NDArray[np.float64]]:
    """Towards the points of most worth; those, best first."""
    best = points[np.argsort(worth, kind="stable")[::-1][:ELITE]]
    spread = np.maximum(best.std(axis=0), LEAST_SPREAD)
    return Search(best.mean(axis=0), spread), best


def play_game(
    bench: Bench, arguments: argparse.Namespace, rng: np.random.Generator
) -> dict[str, Any]:
    """The rounds, with both sides' figures; `clean`: NDCG@10 without an attack, by defence."""
    honest = list(bench.folder.examples(bench.log.events))
    clean = {name: bench.play(honest, name)[0] for name in arguments.defences}
    pushed = bench.usual(clean[arguments.defences[0]], rng)
    budget = max(1, round(arguments.share * bench.world.users)) * PROFILE
    allowed = affordable(clean, arguments.most_loss)
    defence, search, tried = arguments.defences[0], Search.first(), {}
    rounds = []

    def shown(plan: Plan, against: str) -> float:
        drawn = np.random.default_rng([arguments.seed, 1])
        events = carried_out(bench.log, bench.world, plan, pushed, budget, drawn)
        outcome, _ = bench.play(list(bench.folder.examples(events)), against, pushed)
        return outcome.exposure(pushed)

    for number in range(arguments.rounds):
        found: dict[Plan, float] = {}
        search = replace(search, spread=np.full(SIZE, FIRST_SPREAD))
        for _ in range(arguments.generations):
            points = search.drawn(arguments.tries, rng)
            worth = [shown(Plan.of(one), defence) for one in points]
            found |= dict(zip(map(Plan.of, points), worth, strict=True))
            search, _ = climb(search, points, worth)
        plan = max(found, key=lambda one: found[one])
        tried[plan] = {one: shown(plan, one) for one in allowed}
        row = {
            "round": number + 1,
            "defence": defence,
            "plan": asdict(plan),
            "first": gain(found[next(iter(found))], clean[defence], pushed),
            "gain": gain(found[plan], clean[defence], pushed),
            "under": {one: gain(tried[plan][one], clean[one], pushed) for one in allowed},
        }
        rounds.append(row)
        print(orjson.dumps(row).decode(), flush=True)
        defence = min(allowed, key=lambda one: max(under[one] for under in tried.values()))
    return {
        "pushed": clean[arguments.defences[0]].shown[pushed],
        "budget": budget,
        "clean": {name: one.ndcg10() for name, one in clean.items()},
        "allowed": allowed,
        "rounds": rounds,
    }


def affordable(clean: Mapping[str, Outcome], most_loss: float) -> list[str]:
    """Defences that cost at most so much of NDCG@10; the first one always does."""
    names = list(clean)
    best = clean[names[0]].ndcg10()["all"]
    return [one for one in names if clean[one].ndcg10()["all"] >= (1.0 - most_loss) * best]


def gain(exposure: float, clean: Outcome, pushed: str) -> float | None:
    """Beside the item's exposure without an attack; None where it had none."""
    usual = clean.exposure(pushed)
    return round(exposure / usual, 2) if usual else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=3_000)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--generations", type=int, default=3)
    parser.add_argument("--tries", type=int, default=8)
    parser.add_argument("--defences", nargs="+", choices=list(DEFENCES), default=list(DEFENCES))
    parser.add_argument("--most-loss", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=2)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    log = named_items(load_log(arguments.log, None, arguments.ratings))
    folder = Folder(log, load_encoder(settings.encoder.model, device=settings.encoder.device))
    learner = replace(settings.learner, seed=arguments.seed, test_sample=1.0, fused=False)
    bench = Bench(log, folder, World.of(log), learner, arguments.every)
    told = play_game(bench, arguments, np.random.default_rng(arguments.seed))
    tracked.tell(
        {
            "log": str(arguments.log),
            "ratings": len(log.events),
            "users": bench.world.users,
            "seed": arguments.seed,
            "hardware": hardware(),
            **told,
        }
    )


if __name__ == "__main__":
    main()
