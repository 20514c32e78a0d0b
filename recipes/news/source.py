"""A news site over some days, drawn by a seed: stories are published by the hour, interest in them
halves within hours, now and then one breaks, and every day brings readers who were never there.

Nothing here is recorded: stories, readers and their clicks are drawn, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stream.replay.log import LogRecord
from stream.replay.recipes.compare import Lists
from stream.replay.recipes.part import part_of
from stream.replay.recipes.peers import ItemKNN, Newest, Popular
from stream.replay.recipes.recipe import Asked, Recipe, Source, record
from upwell.events import Topic

__all__ = ["HALF_LIFE_H", "RECIPE", "world"]

EVENTS = 5_000
STORIES_A_DAY, READERS, NEWCOMERS_A_DAY, VISITS_A_DAY = 70, 250, 60, 420
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BEGIN_MS = 1_767_225_600_000  # 2026-01-01
HALF_LIFE_H = {"world": 7, "business": 9, "sport": 4, "technology": 14, "culture": 30, "local": 8}
"""Of the interest in a story, by section, in hours: what the engine is not told."""
BREAKING = 0.03
"""Of the stories, that everybody reads for a while."""
PLACES = ("Lisbon", "Osaka", "Lagos", "Quito", "Oslo", "Hanoi", "Denver", "Turin", "Nairobi")
WHO = {
    "world": ("Ministers", "Envoys", "Rescuers", "Protesters", "The president"),
    "business": ("The central bank", "Car makers", "Investors", "A grocery chain", "Unions"),
    "sport": ("The champions", "A teenage keeper", "The coach", "Sprinters", "The home side"),
    "technology": ("Chip makers", "Researchers", "A start-up", "Regulators", "Engineers"),
    "culture": ("A young director", "The opera", "Curators", "A novelist", "Street painters"),
    "local": ("The council", "Neighbours", "Commuters", "A bakery", "The school board"),
}
WHAT = {
    "world": ("agree to a ceasefire", "meet over the border", "call an election", "search on"),
    "business": ("hold rates", "warn of lower profits", "strike over pay", "open a second plant"),
    "sport": ("win in added time", "lose the cup final", "sign for a record fee", "break a record"),
    "technology": ("show a smaller battery", "patch a hole", "open their model", "build a chip"),
    "culture": ("return to the stage", "win the prize", "open a new wing", "finish a last film"),
    "local": ("close the old bridge", "plan a tram", "save the swimming pool", "plant trees"),
}
SECTIONS = tuple(HALF_LIFE_H)


@dataclass(frozen=True, slots=True)
class Story:
    """worth: how many it draws at first. section: by number."""

    item_id: str
    ts: int
    title: str
    section: int
    worth: float
    breaking: bool


@dataclass(slots=True)
class Reader:
    """taste: (sections,) shares. read: stories by number."""

    user_id: str
    taste: np.ndarray[Any, np.dtype[np.float64]]
    read: set[int] = field(default_factory=set)


def stories(rng: np.random.Generator, days: int) -> list[Story]:
    """In the order in which they are published, more by day than by night."""
    found: list[Story] = []
    for day in range(days):
        hours = np.sort(np.clip(rng.normal(13.0, 5.0, STORIES_A_DAY), 0.0, 23.99))
        for hour in hours:
            section = int(rng.integers(len(SECTIONS)))
            breaking = bool(rng.random() < BREAKING)
            worth = float(rng.lognormal(0.0, 0.8)) * (8.0 if breaking else 1.0)
            ts = BEGIN_MS + day * DAY_MS + int(hour * HOUR_MS)
            found.append(
                Story(f"s{len(found)}", ts, _title(rng, section), section, worth, breaking)
            )
    return found


def _title(rng: np.random.Generator, section: int) -> str:
    name = SECTIONS[section]
    who, what = WHO[name], WHAT[name]
    place = PLACES[rng.integers(len(PLACES))]
    return f"{who[rng.integers(len(who))]} {what[rng.integers(len(what))]} in {place}"


class Site:
    """What is read: readers by their sections, of what is fresh, nothing twice."""

    def __init__(self, rng: np.random.Generator, published: Sequence[Story]) -> None:
        self._rng = rng
        self._published = published
        self._ts = np.array([one.ts for one in published])
        self._section = np.array([one.section for one in published])
        self._worth = np.array([one.worth for one in published])
        half = np.array([HALF_LIFE_H[SECTIONS[one.section]] for one in published])
        self._half_ms = half * float(HOUR_MS)
        self._breaking = np.array([one.breaking for one in published])
        self.readers: list[Reader] = []
        self.join(READERS)

    def join(self, count: int) -> None:
        """Readers who were never there."""
        for _ in range(count):
            taste = self._rng.dirichlet(np.full(len(SECTIONS), 0.5))
            self.readers.append(Reader(f"r{len(self.readers)}", taste))

    def visit(self, reader: Reader, at: int) -> list[tuple[int, int]]:
        """(when, story) of one visit."""
        found: list[tuple[int, int]] = []
        for _ in range(1 + int(self._rng.geometric(0.45))):
            age = at - self._ts
            interest = np.where(age >= 0, 0.5 ** (np.maximum(age, 0) / self._half_ms), 0.0)
            taste = np.where(self._breaking, 0.5, reader.taste[self._section])
            worth = self._worth * interest * taste
            worth[list(reader.read)] = 0.0
            if worth.sum() <= 0.0:
                break
            story = int(self._rng.choice(len(worth), p=worth / worth.sum()))
            reader.read.add(story)
            found.append((at, story))
            at += int(self._rng.integers(20_000, 240_000))
        return found


def world(seed: int, events: int) -> Sequence[LogRecord]:
    """The log: stories as they are published, among them so many clicks."""
    rng = np.random.default_rng(seed)
    days = 2 + events // (2 * VISITS_A_DAY)
    published = stories(rng, days)
    site = Site(rng, published)
    clicks: list[tuple[int, str, int]] = []
    for day in range(days):
        begin = BEGIN_MS + day * DAY_MS
        site.join(NEWCOMERS_A_DAY if day else 0)
        hours = np.clip(rng.normal(14.0, 4.5, VISITS_A_DAY), 0.0, 23.9)
        for hour in np.sort(hours):
            newest = len(site.readers) - NEWCOMERS_A_DAY
            fresh = day > 0 and rng.random() < 0.2
            number = int(rng.integers(newest if fresh else 0, len(site.readers)))
            reader = site.readers[number]
            visit = site.visit(reader, begin + int(hour * HOUR_MS))
            clicks += [(at, reader.user_id, story) for at, story in visit]
    clicks = sorted(clicks)[:events]
    return _records(published, clicks)


def _records(
    published: Sequence[Story], clicks: Sequence[tuple[int, str, int]]
) -> Sequence[LogRecord]:
    last = clicks[-1][0]
    rows: list[tuple[int, Topic, str, dict[str, Any]]] = [
        (
            one.ts,
            Topic.ITEMS,
            one.item_id,
            {
                "item_id": one.item_id,
                "ts": one.ts,
                "title": one.title,
                "categories": [SECTIONS[one.section]],
            },
        )
        for one in published
        if one.ts <= last
    ]
    for number, (at, user, story) in enumerate(clicks):
        value = {"event_id": f"c{number}", "ts": at, "user_id": user, "action": "click"}
        item_id = published[story].item_id
        rows.append((at, Topic.CLICKS, user, value | {"item_id": item_id}))
    rows.sort(key=lambda row: (row[0], row[1] is not Topic.ITEMS))
    return [record(line, *row[1:]) for line, row in enumerate(rows, 1)]


def read(asked: Asked) -> Source:
    """A log of one's own, or drawn anew by the seed. Raises `LogError`."""
    events = asked.events or EVENTS
    if asked.data is not None:
        records = part_of(asked.data, events, all_items=True)
        return Source(f"recorded: the first events of {asked.data.name}", records)
    said = f"drawn by seed {asked.seed}, nothing recorded: a news site whose stories fade in hours"
    return Source(said, world(asked.seed, events))


RECIPE = Recipe(
    "news, drawn: stories that nobody wants tomorrow",
    read,
    Lists(
        {
            "popular, 3 hours": lambda: Popular(3 * HOUR_MS),
            "popular, 24 hours": lambda: Popular(DAY_MS),
            "newest": Newest,
            "item-kNN": ItemKNN,
        },
        without={"Upwell, UPWELL_LIFETIME=off": {"UPWELL_LIFETIME": "off"}},
    ),
)
