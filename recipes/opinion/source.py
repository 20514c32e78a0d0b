"""Posts about a town, drawn by a seed: ten subjects that are always there, with moods of their own,
and two changes: from a place on one in four is about something that nobody had written about, and
later the mood of one subject turns. Or a CSV file of one's own, of which one kind surges.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson

from stream.chain.privacy import Pseudonymizer
from stream.replay.log import LogRecord
from stream.replay.recipes.posts import ClusterCounts, RefittedRidge
from stream.replay.recipes.recipe import Asked, Outcome, Recipe, Source
from stream.uses.fold import Row, fold
from stream.uses.watch import OpinionWatch, watch_options
from upwell.errors import LogError
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import load_settings
from upwell.uses.topics import UseTopic
from upwell.uses.watch import Alert

__all__ = ["RECIPE"]

POSTS, DAY = 2_400, 1_200
"""In all, and in a day."""
BEGIN_MS, DAY_MS = 1_767_225_600_000, 86_400_000  # 2026-01-01
SURGE_AT, TURN_AT, SURGE = 0.5, 0.55, 0.25
LABELLED, NOISE = 0.4, 0.25
GOOD = ("I love {0}", "{0} works so well", "great: {0}", "so happy with {0}", "thanks for {0}")
BAD = ("I am fed up with {0}", "{0} is awful", "terrible: {0}", "so angry about {0}", "not {0}")
PLAIN = ("has anybody seen {0}", "reading about {0}", "{0} again today", "they speak of {0}")
SUBJECTS: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "trains": (-0.4, ("the morning train", "the delay at the station", "the new rail timetable")),
    "bakery": (0.6, ("the bread of the bakery", "the cinnamon rolls", "the baker's rye loaf")),
    "football": (0.1, ("the match last night", "our goalkeeper", "the striker's penalty")),
    "school": (0.0, ("the school lunch", "the maths teacher", "homework in the fourth class")),
    "park": (0.5, ("the roses in the park", "the new playground", "a walk by the pond")),
    "library": (0.4, ("the library's reading room", "the novels they lend", "the quiet desks")),
    "rents": (-0.6, ("the rent rise", "the landlord's letter", "looking for a flat")),
    "traffic": (-0.4, ("the jam on the bridge", "the road works", "parking downtown")),
    "concerts": (0.6, ("the concert in the hall", "the choir", "the band on the square")),
    "bicycles": (0.2, ("the bicycle lane", "my repaired bike", "the cargo bikes")),
}
NEW = ("the tap water that smells of petrol", "brown water from the tap", "boiling our water")
TURNS = "bakery"


@dataclass(frozen=True, slots=True)
class Written:
    """kind: what it is about, for the table alone."""

    text: str
    kind: str
    sentiment: float | None


def read(asked: Asked) -> Source:
    """Raises `LogError` where the file is none with a column `text`."""
    rng = np.random.default_rng(asked.seed)
    count = asked.events or POSTS
    if asked.data is None:
        posts = [_drawn(rng, number / count) for number in range(count)]
        said = f"drawn by seed {asked.seed}, nothing recorded: {len(SUBJECTS)} subjects of a town"
        return Source(f"{said}; water surges, the mood of the {TURNS} turns", _log(posts))
    posts, kind = _of_file(asked.data, count, rng)
    said = f"recorded: {asked.data.name}, in an order drawn by seed {asked.seed}"
    return Source(f"{said}; {kind!r} surges", _log(posts))


def _drawn(rng: np.random.Generator, place: float) -> Written:
    kind = list(SUBJECTS)[int(rng.integers(len(SUBJECTS)))]
    usual, things = SUBJECTS[kind]
    if place >= SURGE_AT and rng.random() < SURGE:
        kind, usual, things = "surge", -0.7, NEW
    if kind == TURNS and place >= TURN_AT:
        usual = -usual
    mood = float(np.clip(usual + rng.normal(0.0, NOISE), -1.0, 1.0))
    frames = PLAIN if abs(mood) < 0.2 else GOOD if mood > 0 else BAD
    thing = things[int(rng.integers(len(things)))]
    text = f"{frames[int(rng.integers(len(frames)))].format(thing)} {_tail(rng)}".strip()
    return Written(text, kind, round(mood, 3) if rng.random() < LABELLED else None)


def _tail(rng: np.random.Generator) -> str:
    days = ("Monday", "Tuesday", "Wednesday", "Friday", "the weekend", "spring", "this year")
    names = ("my sister says", "as ever", "with the kids", "near the harbour", "for once", "")
    return f"{names[int(rng.integers(len(names)))]} since {days[int(rng.integers(len(days)))]}"


def _of_file(path: Path, count: int, rng: np.random.Generator) -> tuple[list[Written], str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("text")]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise LogError(f"{path} cannot be read: {exc}; it is a CSV file in UTF-8") from exc
    if not rows or "category" not in rows[0]:
        raise LogError(f"{path} needs the columns `text` and `category`, and may have `sentiment`")
    written = [Written(row["text"], row["category"], _mood(row.get("sentiment"))) for row in rows]
    kinds = sorted({one.kind for one in written})
    kind = kinds[int(rng.integers(len(kinds)))]
    order = rng.permutation(len(written))
    rest = [written[place] for place in order if written[place].kind != kind]
    own = [written[place] for place in order if written[place].kind == kind]
    posts: list[Written] = []
    while rest and len(posts) < count:
        surges = own and len(posts) >= SURGE_AT * count and rng.random() < SURGE
        one = own.pop() if surges else rest.pop()
        posts.append(Written(one.text, "surge" if surges else one.kind, one.sentiment))
    return posts, kind


def _mood(cell: str | None) -> float | None:
    try:
        return float(cell) if cell else None
    except ValueError as exc:
        raise LogError(f"{cell!r:.40} is no sentiment: numbers from -1 to 1 are") from exc


def _log(posts: Sequence[Written]) -> list[LogRecord]:
    """The kind stands in a field that the watch does not know."""
    made = []
    for number, one in enumerate(posts):
        value = {
            "post_id": f"p{number}",
            "ts": BEGIN_MS + number * DAY_MS // DAY,
            "user_id": f"u{number}",
            "text": one.text,
            "kind": one.kind,
            **({} if one.sentiment is None else {"sentiment": one.sentiment}),
        }
        topic = cast(Topic, UseTopic.POSTS)  # a log's lines are else of the recommender's topics
        made.append(LogRecord(number + 1, topic, f"u{number}".encode(), orjson.dumps(value)))
    return made


class Played:
    """The watch, taken through the log as its process takes batches, and the peers beside it."""

    def __init__(self, environment: Mapping[str, str], encoder: Encoder, seed: int) -> None:
        options = watch_options(load_settings(environment, None).uses)
        self.use = OpinionWatch(encoder.dimension, options)
        self.encoder = encoder
        self.ridge, self.counts = RefittedRidge(), ClusterCounts(seed)
        self.alerts: list[tuple[int, Alert]] = []
        self.alarms: list[tuple[int, set[str]]] = []
        self.moods: dict[str, list[tuple[float | None, float]]] = {"Upwell": [], "ridge": []}
        self.clustered: dict[int, list[str]] = {}

    def take(self, records: Sequence[LogRecord]) -> Iterator[int]:
        """How many are done, after each post."""
        for number, one in enumerate(records):
            value = orjson.loads(one.value)
            [vector] = self.encoder.encode([value["text"]])
            if (right := value.get("sentiment")) is not None:
                told = self.use.watch.mood.told(value["text"], vector)
                self.moods["Upwell"].append((told, right))
                self.moods["ridge"].append((self.ridge.told(vector), right))
                self.ridge.learn(vector, right)
            if (cluster := self.counts.read(vector)) is not None:
                self.alarms.append((number, self._lately(records, number, cluster)))
            row = Row(UseTopic.POSTS, 0, number, one.key, one.value, {}, value["ts"])
            told_of = fold(self.use, self.encoder, _NAMES, [row], value["ts"]).published
            self.alerts += [(number, some.value) for some in told_of]
            yield number + 1

    def _lately(self, records: Sequence[LogRecord], number: int, cluster: int) -> set[str]:
        """What most of the cluster's newest posts are about."""
        assert self.counts.centres is not None
        some = [orjson.loads(one.value) for one in records[max(0, number - 99) : number + 1]]
        vectors = self.encoder.encode([one["text"] for one in some])
        near = np.argmax(vectors @ self.counts.centres.T, axis=1)
        kinds = [one["kind"] for one, own in zip(some, near, strict=True) if own == cluster]
        return {max(sorted(set(kinds)), key=kinds.count)}


_NAMES = Pseudonymizer(b"a recipe has no users of its own")


def play(
    source: Source,
    environment: Mapping[str, str],
    encoder: Encoder,
    moved: Callable[[int], None],
) -> Outcome:
    """A `Play`."""
    played = Played(environment, encoder, 7)
    for done in played.take(source.records):
        moved(done)
    kinds = {
        value["post_id"]: value["kind"]
        for one in source.records
        for value in [orjson.loads(one.value)]
    }
    first = [(at, one) for at, one in played.alerts if not one.update]
    surge = min((int(post[1:]) for post, kind in kinds.items() if kind == "surge"), default=None)
    sides = {
        "Upwell": {
            **_surges(
                (
                    (at, {kinds[q.post_id] for q in one.posts})
                    for at, one in first
                    if one.kind != "mood"
                ),
                surge,
            ),
            **_moods(played.moods["Upwell"]),
        },
        "k-means, counts at z > 4": _surges(iter(played.alarms), surge),
        "ridge, refitted every 50": _moods(played.moods["ridge"]),
    }
    figures = {
        "posts": len(source.records),
        "sides": sides,
        "alerts": [
            {"at": at, "kind": one.kind, "name": one.name, "was": one.was, "now": one.now}
            for at, one in first
        ],
    }
    names = ("found_after", "other_alarms", "r2", "mae")
    rows = [(name, *(_shown(one.get(key)) for key in names)) for name, one in sides.items()]
    told = "; ".join(f"{one.kind} “{one.name}” at post {at:,}" for at, one in first) or "none"
    title = f"{len(source.records):,} posts, the surge begins at {surge}; alerts: {told}"
    heads = ("", "surge found after posts", "other alarms", "mood: R²", "MAE")
    return Outcome(title, heads, rows, figures)


def _surges(told: Iterator[tuple[int, set[str]]], surge: int | None) -> dict[str, Any]:
    """Of alarms, each with what it is about."""
    found, others = None, 0
    for at, kinds in told:
        if "surge" in kinds:
            found = at if found is None else found
        else:
            others += 1
    after = None if found is None or surge is None else found - surge
    return {"found_after": after, "other_alarms": others}


def _moods(pairs: Sequence[tuple[float | None, float]]) -> dict[str, float]:
    """What is not told counts as 0."""
    if len(pairs) < 2:
        return {}
    told = np.array([one or 0.0 for one, _ in pairs])
    right = np.array([one for _, one in pairs])
    rest = float(((told - right) ** 2).sum() / ((right - right.mean()) ** 2).sum())
    return {"r2": round(1.0 - rest, 4), "mae": round(float(np.abs(told - right).mean()), 4)}


def _shown(one: Any) -> str:
    return "–" if one is None else f"{one:,}" if isinstance(one, int) else f"{one:.3f}"


RECIPE = Recipe("an opinion watch: what is new, what surges, whose mood turns", read, play)
