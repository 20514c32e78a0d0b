"""Fake users as events to be merged into a log: who pushes an item, how, how many, and when.

Kinds as in Mobasher et al., "Toward trustworthy recommender systems" (2007): random, average,
bandwagon, segment and love/hate profiles; beside them reviews whose words flatter the encoder, and
floods of clicks. Every draw comes from the generator that is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from bench.prequential import Log
from stream.replay.log import LogRecord
from upwell.events import Topic

__all__ = ["FAKE", "KINDS", "Attack", "World", "attacked", "inserted"]

FAKE = "fake-"
POPULAR = 100
FEW = 5
"""Users of a flood of clicks from few."""
BURST = 0.1
"""Of the events, in which a burst comes."""
START = 0.5
"""Of the events, before any attack: on an engine that has learned for a while."""
Fake = dict[str, Any]
"""Of an event but for its id and time: `topic`, and the fields of its value."""


@dataclass(frozen=True)
class Attack:
    """share: so many fake profiles for each user of the log; a flood of clicks has as many events
    as they would. slow: spread over the second half of the log, else within a tenth of it. fillers:
    items beside the pushed one in a profile. first: the pushed one comes before them.
    """

    kind: str
    share: float
    slow: bool = False
    fillers: int = 9
    first: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind} {self.share:.1%} {'slow' if self.slow else 'burst'}"


@dataclass(frozen=True)
class World:
    """What an attacker may know of a log: items by how often they were rated, their mean rating,
    titles and categories. users: how many there are.
    """

    users: int
    popular: list[str]
    means: Mapping[str, float]
    titles: Mapping[str, str]
    categories: Mapping[str, Sequence[str]]
    of_category: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, log: Log) -> World:
        seen: Counter[str] = Counter()
        stars: dict[str, list[float]] = defaultdict(list)
        users = set()
        for record in log.events:
            value = orjson.loads(record.value)
            seen[value["item_id"]] += 1
            users.add(value["user_id"])
            if value.get("rating") is not None:
                stars[value["item_id"]].append(float(value["rating"]))
        items = {one["item_id"]: one for one in map(_value, log.items)}
        popular = [item for item, _ in seen.most_common() if item in items]
        by_category: dict[str, list[str]] = defaultdict(list)
        for item in popular:
            for name in items[item].get("categories") or ():
                by_category[name].append(item)
        return cls(
            len(users),
            popular,
            {item: sum(some) / len(some) for item, some in stars.items()},
            {item: one.get("title") or item for item, one in items.items()},
            {item: one.get("categories") or () for item, one in items.items()},
            by_category,
        )


def _value(record: LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(record.value)
    return found


def _rated(item: str, stars: float, text: str | None = None) -> Fake:
    words = {} if text is None else {"text": text}
    return {"topic": Topic.REVIEWS, "item_id": item, "rating": stars, **words}


def _half(stars: float) -> float:
    return min(5.0, max(0.5, round(2 * stars) / 2))


def _random(world: World, pushed: str, count: int, rng: np.random.Generator) -> list[Fake]:
    fillers = _drawn(world.popular, pushed, count, rng)
    return [_rated(one, _half(rng.normal(3.6, 1.1))) for one in fillers]


def _average(world: World, pushed: str, count: int, rng: np.random.Generator) -> list[Fake]:
    fillers = _drawn(world.popular, pushed, count, rng)
    return [_rated(one, _half(world.means.get(one, 3.6))) for one in fillers]


def _bandwagon(world: World, pushed: str, count: int, rng: np.random.Generator) -> list[Fake]:
    return [_rated(one, 5.0) for one in _drawn(world.popular[:POPULAR], pushed, count, rng)]


def _love_hate(world: World, pushed: str, count: int, rng: np.random.Generator) -> list[Fake]:
    return [_rated(one, 0.5) for one in _drawn(world.popular, pushed, count, rng)]


def _segment(world: World, pushed: str, count: int, rng: np.random.Generator) -> list[Fake]:
    name = next(iter(world.categories.get(pushed, ())), None)
    liked = world.of_category.get(name or "", world.popular)[:POPULAR]
    loved = _drawn(liked, pushed, (2 * count + 2) // 3, rng)
    hated = _drawn(world.popular, pushed, count - len(loved), rng)
    return [_rated(one, 5.0) for one in loved] + [_rated(one, 0.5) for one in hated]


def _text(world: World, pushed: str, count: int, rng: np.random.Generator) -> list[Fake]:
    fillers = _drawn(world.popular[:POPULAR], pushed, count, rng)
    words = world.titles.get(pushed, pushed)
    return [_rated(one, 5.0, f"{world.titles.get(one, one)}, just like {words}") for one in fillers]


_FILLERS: dict[str, Callable[[World, str, int, np.random.Generator], list[Fake]]] = {
    "random": _random,
    "average": _average,
    "bandwagon": _bandwagon,
    "love_hate": _love_hate,
    "segment": _segment,
    "text": _text,
}
KINDS = (*_FILLERS, "clicks_few", "clicks_many")


def _drawn(items: Sequence[str], but: str, count: int, rng: np.random.Generator) -> list[str]:
    pool = [one for one in items if one != but]
    return [pool[int(place)] for place in rng.permutation(len(pool))[:count]]


def _profiles(
    attack: Attack, world: World, pushed: str, rng: np.random.Generator
) -> Iterator[tuple[str, list[Fake]]]:
    """Users and what each does, in its order."""
    count = max(1, round(attack.share * world.users))
    budget = count * (attack.fillers + 1)
    if attack.kind.startswith("clicks"):
        click = {"topic": Topic.CLICKS, "item_id": pushed, "action": "click"}
        users = FEW if attack.kind == "clicks_few" else budget
        for number in range(users):
            yield f"{FAKE}user-{number}", [dict(click)] * (budget // users)
        return
    for number in range(count):
        fillers = _FILLERS[attack.kind](world, pushed, attack.fillers, rng)
        text = f"just like {world.titles.get(fillers[0]['item_id'], '')}" if fillers else None
        push = _rated(pushed, 5.0, text if attack.kind == "text" else None)
        yield f"{FAKE}user-{number}", [push, *fillers] if attack.first else [*fillers, push]


def attacked(
    log: Log, world: World, attack: Attack, pushed: str, rng: np.random.Generator
) -> list[LogRecord]:
    """The log's events with the attack's."""
    total = len(log.events)
    start = int(START * total)
    if not attack.slow:
        start += int(rng.integers(0, max(1, (total - start) // 4)))
    end = total if attack.slow else min(total, start + max(1, int(BURST * total)))
    added: dict[int, list[Fake]] = defaultdict(list)
    for user, fakes in _profiles(attack, world, pushed, rng):
        if attack.kind == "clicks_few":
            for fake in fakes:
                added[int(rng.integers(start, end))].append({**fake, "user_id": user})
        else:
            added[int(rng.integers(start, end))] += [{**fake, "user_id": user} for fake in fakes]
    return inserted(log.events, added)


def inserted(events: Sequence[LogRecord], added: Mapping[int, Sequence[Fake]]) -> list[LogRecord]:
    """The events, and behind each those that were added at its place, at its time."""
    merged: list[LogRecord] = []
    for place, record in enumerate(events):
        merged.append(record)
        if place in added:
            ts = orjson.loads(record.value)["ts"]
            merged += [_record(len(merged) + n, one, ts) for n, one in enumerate(added[place])]
    return merged


def _record(number: int, fake: Fake, ts: int) -> LogRecord:
    value = {"event_id": f"{FAKE}{number}", "ts": ts, **fake}
    topic = value.pop("topic")
    return LogRecord(0, topic, str(fake["user_id"]).encode(), orjson.dumps(value))
