"""How far what is counted stays from that of a learner that never saw a user who was forgotten:
`python -m bench.simulations.forgotten LOG`.

One engine learns the first ratings of a log and is asked to forget a user; another learns the same
log without that user. Of the user with the most ratings, the one at the 90th percentile and the
median one: the summed difference of each table of counts, as a share of the sum of its entries, all
as of now (decay taken out), and how many of the first ten items of other users' lists are the
other's too. The fused model is off, so that the gate and the counts alone differ.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.hardware import hardware, load
from bench.prequential import load_log
from bench.results.bench_run import BenchRun
from encoders.hashing import HashingEncoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import load_settings

BATCH = 256
LISTS = 100
AFTER_MS = 2_000_000_000_000
"""Later than any log's events, UTC ms."""
TABLES = ("pairs", "pairs_any", "last", "near", "near_any", "recent", "far")
COLUMNS = ("50", "200", "1k", "5k", "50k", "likes", "newcomers_20", "newcomers_200", "count")
"""Of popularity, by half-life in events, and the count of all."""

Counted = Mapping[str, NDArray[Any]]


def off(found: Counted, wanted: Counted) -> dict[str, float]:
    """By what is counted, the summed difference over the sum of `wanted`; both as `Counts.arrays`
    gives them, of the same items.
    """
    shares = {name: _share(_entries(found, name), _entries(wanted, name)) for name in TABLES}
    for column, name in enumerate(COLUMNS):
        one, other = (
            counts["popularity.values"][column] / counts["popularity.scale"][column]
            for counts in (found, wanted)
        )
        shares[f"popularity_{name}"] = _share(_numbered(one), _numbered(other))
    for name in ("liked", "people"):
        shares[name] = _share(_numbered(found[name]), _numbered(wanted[name]))
    return shares


def _numbered(values: NDArray[Any]) -> dict[int, float]:
    return {int(row): float(values[row]) for row in np.flatnonzero(values)}


def _entries(counts: Counted, table: str) -> dict[int, float]:
    """By row and column as one number."""
    sizes = counts[f"{table}.sizes"]
    rows = np.repeat(np.arange(len(sizes)), sizes)
    places = rows * len(sizes) + counts[f"{table}.ids"]
    values = counts[f"{table}.values"] / counts[f"{table}.scale"][0]
    return dict(zip(places.tolist(), values.tolist(), strict=True))


def _share(found: Mapping[int, float], wanted: Mapping[int, float]) -> float:
    whole = sum(abs(value) for value in wanted.values())
    places = found.keys() | wanted.keys()
    apart = sum(abs(found.get(place, 0.0) - wanted.get(place, 0.0)) for place in places)
    return apart / whole if whole else 0.0


def in_common(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """The mean share of a list's items that stand in the other's."""
    shares = [
        len({*first} & {*second}) / len(first)
        for first, second in zip(one, other, strict=True)
        if first
    ]
    return float(np.mean(shares))


def learned(items: Sequence[LogRecord], events: Sequence[LogRecord], seed: int) -> InlineEngine:
    """An engine that knows them."""
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=seed, fused=False, explore=0.0)
    stream = replace(settings.stream, bot_events=0)
    engine = InlineEngine(replace(settings, learner=learner, stream=stream), HashingEncoder(64))
    for _ in engine.play([*items, *events], BATCH):
        pass
    return engine


def sent(engine: InlineEngine, topic: Topic, user: str, value: dict[str, Any]) -> Any:
    whole = {"ts": AFTER_MS, "user_id": user, **value}
    return engine.process([LogRecord(0, topic, user.encode(), orjson.dumps(whole))])


def lists_of(engine: InlineEngine, users: Sequence[str]) -> list[list[str]]:
    """The first ten of each."""
    found = []
    for user in users:
        asked = {"event_id": f"ask-{user}", "request_id": f"ask-{user}", "k": 10}
        [fresh] = sent(engine, Topic.REQUESTS, user, asked).lists
        found.append([entry.item_id for entry in fresh.items])
    return found


def counted(engine: InlineEngine) -> Counted:
    ranking = engine.learner.ranking
    return ranking.counts.arrays(len(ranking.catalogue))


def main() -> None:
    """Prints one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    run, busy = BenchRun(__file__, arguments, arguments.log), load()
    log = load_log(arguments.log, None, arguments.ratings)
    whose = [str(orjson.loads(record.value)["user_id"]) for record in log.events]
    ratings = Counter(whose)
    order = [user for user, _ in ratings.most_common()]
    asked = {"most": order[0], "p90": order[len(order) // 10], "median": order[len(order) // 2]}
    others = [user for user in order if user not in asked.values()][:LISTS]
    whole = learned(log.items, log.events, arguments.seed)
    lists = lists_of(whole, others)
    found = {}
    for name, user in asked.items():
        forget = {"event_id": f"forget-{user}", "kind": "forget_user", "by": "b", "why": "w"}
        sent(whole, Topic.CONTROLS, user, forget)
        events = [one for one, who in zip(log.events, whose, strict=True) if who != user]
        without = learned(log.items, events, arguments.seed)
        apart = off(counted(whole), counted(without))
        found[name] = {
            "ratings": ratings[user],
            "share_of_ratings": ratings[user] / len(whose),
            "off": {what: round(share, 6) for what, share in apart.items()},
            "in_common": round(in_common(lists, lists_of(without, others)), 4),
        }
        print(name, found[name], flush=True)
    run.tell({"users": found, "ratings": len(whose), "load": busy, "hardware": hardware()})


if __name__ == "__main__":
    main()
