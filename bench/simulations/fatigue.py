"""What it is worth that unanswered impressions wear off: `python -m bench.simulations.fatigue LOG`.

A seeded simulation, since no log here says what was shown. The engine learns the first half of each
user's ratings. Then users visit again and again: each visit asks for a list, all of it is shown,
and a user clicks at most one item. They look from the top (each next place with probability .85)
and take an item of their other half that they liked there, which the engine has not seen, with
probability `take`; any other with a probability of 0.002. So what users want is real, and that they
would tire of anything is not assumed: an item that is passed over is only less likely to be wanted.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections import defaultdict
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from bench.prequential import load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from encoders.hashing import HashingEncoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import load_settings
from upwell.values import LIKED_RATING

PLACES = 10
LOOKS_ON = 0.85
MISTAKE = 0.002
LEAST_LIKED = 5
HOUR_MS = 3_600_000
BATCH = 256


@dataclass(frozen=True)
class World:
    """learned: ratings for the engine, in the log's order. wanted: of each user what they like
    beyond. now_ms: after all of it.
    """

    items: list[LogRecord]
    learned: list[LogRecord]
    wanted: dict[str, set[str]]
    now_ms: int


def world_of(path: Path, ratings: int) -> World:
    """Each user's ratings halved, in time."""
    log = load_log(path, None, ratings)
    rows = [(record, orjson.loads(record.value)) for record in log.events]
    total: dict[str, int] = defaultdict(int)
    for _, value in rows:
        total[value["user_id"]] += 1
    learned, wanted = [], defaultdict(set)
    seen: dict[str, int] = defaultdict(int)
    for record, value in rows:
        user = value["user_id"]
        seen[user] += 1
        if 2 * seen[user] <= total[user]:
            learned.append(record)
        elif value["rating"] >= LIKED_RATING:
            wanted[user].add(value["item_id"])
    enough = {user: items for user, items in wanted.items() if len(items) >= LEAST_LIKED}
    return World(log.items, learned, enough, max(value["ts"] for _, value in rows))


def drawn(*what: object) -> float:
    """In [0, 1), the same for the same question: both runs meet the same users."""
    digest = blake2b("\n".join(map(str, what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2.0**64


class Visits:
    """One run."""

    def __init__(self, world: World, engine: InlineEngine) -> None:
        self._world, self._engine = world, engine
        self.clicks: list[int] = []
        self.stays: list[float] = []
        self.distinct: dict[str, set[str]] = defaultdict(set)
        self._last: dict[str, tuple[str, ...]] = {}
        self._number = 0

    def run(self, users: list[str], visits: int, hours: float, take: float, seed: int) -> None:
        for visit in range(visits):
            now = self._world.now_ms + round(visit * hours * HOUR_MS)
            self.clicks.append(0)
            for user in users:
                items = self._list(user, now)
                if self._last.get(user):
                    self.stays.append(len({*items} & {*self._last[user]}) / len(self._last[user]))
                self._last[user] = items
                self.distinct[user].update(items)
                choice = self._choice(user, items, (visit, take, seed))
                self._send(
                    Topic.IMPRESSIONS, user, now, {"list_id": f"l{visit}", "item_ids": list(items)}
                )
                if choice is not None:
                    self.clicks[-1] += choice in self._world.wanted[user]
                    self._send(
                        Topic.CLICKS, user, now + 5_000, {"item_id": choice, "action": "click"}
                    )

    def _choice(self, user: str, items: tuple[str, ...], why: tuple[Any, ...]) -> str | None:
        for place, item in enumerate(items):
            if place and drawn("look", user, place, *why) >= LOOKS_ON:
                return None
            wanted = item in self._world.wanted[user]
            chance = why[1] if wanted else MISTAKE
            if drawn("take", user, item, *why) < chance:
                return item
        return None

    def _list(self, user: str, now: int) -> tuple[str, ...]:
        asked = {"request_id": f"r{self._number}", "k": PLACES}
        [fresh] = self._send(Topic.REQUESTS, user, now, asked)
        return tuple(entry.item_id for entry in fresh.items)

    def _send(self, topic: Topic, user: str, now: int, more: dict[str, Any]) -> Any:
        self._number += 1
        value = {"event_id": f"v{self._number}", "ts": now, "user_id": user, **more}
        record = LogRecord(self._number, topic, user.encode(), orjson.dumps(value))
        return self._engine.process([record]).lists


def learned(world: World, fatigue: bool, arguments: argparse.Namespace) -> InlineEngine:
    """An engine that knows the first halves."""
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=arguments.seed, fused=arguments.fused, test_sample=1.0)
    stream = replace(settings.stream, fatigue=fatigue, bot_events=0)
    encoder: Encoder = (
        HashingEncoder(64)
        if arguments.hashing
        else load_encoder(settings.encoder.model, device=settings.encoder.device)
    )
    engine = InlineEngine(replace(settings, learner=learner, stream=stream), encoder)
    for _ in engine.play([*world.items, *world.learned], BATCH):
        pass
    return engine


def run(
    world: World, engine: InlineEngine, arguments: argparse.Namespace, take: float, users: list[str]
) -> dict[str, Any]:
    """All visits of these users."""
    visits = Visits(world, engine)
    visits.run(users, arguments.visits, arguments.hours, take, arguments.seed)
    return {
        "take": take,
        "users": len(users),
        "clicks_on_wanted": sum(visits.clicks),
        "by_third": [int(part.sum()) for part in np.array_split(np.array(visits.clicks), 3)],
        "items_a_user": float(np.mean([len(items) for items in visits.distinct.values()])),
        "stays": float(np.mean(visits.stays)),
        "wear": float(engine.learner.parameters.gate.state.wear[0]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=20_000)
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--visits", type=int, default=15)
    parser.add_argument("--hours", type=float, default=12.0, help="between two visits")
    parser.add_argument("--take", type=float, nargs="+", default=[0.1, 0.3, 0.6])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fused", action="store_true", help="with the fused model")
    parser.add_argument("--hashing", action="store_true", help="without the language model")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    world = world_of(arguments.log, arguments.ratings)
    everyone = sorted(world.wanted, key=lambda user: drawn(user, arguments.seed))
    runs = []
    for fatigue in (False, True):
        engine = learned(world, fatigue, arguments)
        for number, take in enumerate(arguments.take):
            some = everyone[number * arguments.users :][: arguments.users]
            found = run(world, engine, arguments, take, some)
            runs.append({"fatigue": fatigue, **found})
            print(orjson.dumps(runs[-1]).decode(), flush=True)
    hardware = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
    tracked.tell({"log": str(arguments.log), "hardware": hardware, "runs": runs})


if __name__ == "__main__":
    main()
