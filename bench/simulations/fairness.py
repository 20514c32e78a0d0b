"""What a bound on exposure costs: lists of the same log with and without it, from the same states
and the same model.

    python -m bench.simulations.fairness data/movielens/events.jsonl.gz [--events 8000]
        [--bounds popularity:tail=0,0.5,0.6 category:Documentary=0,0.05,0.1] [--batch 4]

A replayed log does not answer to what is shown, so all runs learn the same; their lists differ in
the term alone. NDCG@10: of each liked event, in the list that its user had been sent before (test,
then learn, micro-batch by micro-batch), after the first fifth. Reached: the group's share of the
exposure in lists, mean over the second half. A bound of 0 is none: what the group has by itself.
Prints a table for each group, then one JSON object as the last line.

    python -m bench.simulations.fairness LOG --segments Drama,Comedy

plays the log once, without a bound, with users in a segment for each of these categories that has a
share of their liked items above the users' median (by the whole of what is played: an operator who
knows tastes), and prints what the engine told last by segment, and in which share of the second
half's micro-batches it told it at all: of fewer than 20 users lately it tells nothing.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders.load import load_encoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.recommendations import Entry
from upwell.settings import Settings, load_settings
from upwell.values import LIKED_RATING

BOUNDS = ("popularity:tail=0,0.5,0.6", "category:Documentary=0,0.05,0.1")
UNHELD = 1e-6
"""A bound for looking at a group: it adds less than .001, where the group is never shown."""
WARMUP = 0.2
SECOND_HALF = 0.5


@dataclass(slots=True)
class Tally:
    """gains: of each target, 0 where its user's list did not hold it. shares, terms: of the bound
    after each micro-batch of the second half.
    """

    gains: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    terms: list[float] = field(default_factory=list)
    lists: int = 0


def run(
    log: Log, settings: Settings, encoder: Encoder, group: str, least: float, batch: int
) -> tuple[Tally, dict[str, Any]]:
    """One engine over the log, and its own report at the end."""
    bound = f"{group}>={max(least, UNHELD):.6f}"
    engine = InlineEngine(
        replace(settings, stream=replace(settings.stream, exposure=bound)), encoder
    )
    for _ in engine.play(log.items, 256):
        pass
    tally, newest = Tally(), dict[str, tuple[Entry, ...]]()
    for start in range(0, len(log.events), batch):
        some = log.events[start : start + batch]
        if start >= WARMUP * len(log.events):
            for value in (orjson.loads(line.value) for line in some):
                if value.get("rating", 0.0) >= LIKED_RATING:
                    tally.gains.append(_gain(newest.get(value["user_id"], ()), value["item_id"]))
        for fresh in engine.process(some).lists:
            newest[fresh.user_id] = fresh.items
            tally.lists += 1
        if start >= SECOND_HALF * len(log.events):
            [held] = engine.fair.held
            tally.shares.append(held.share)
            tally.terms.append(held.term)
    return tally, engine.fair.report()


def _gain(shown: Sequence[Entry], target: str) -> float:
    found = (place for place, one in enumerate(shown[:10], 1) if one.item_id == target)
    place = next(found, 0)
    return 1.0 / math.log2(1 + place) if place else 0.0


def told(tally: Tally, report: dict[str, Any], before: Tally) -> dict[str, Any]:
    """Figures of one run. before: without a bound; the difference is paired, its interval 95 %."""
    change = np.array(tally.gains) - np.array(before.gains)
    error = 1.96 * float(change.std(ddof=1)) / math.sqrt(len(change))
    return {
        "reached": float(np.mean(tally.shares)),
        "term": float(np.mean(tally.terms)),
        "ndcg10": float(np.mean(tally.gains)),
        "change": float(change.mean()),
        "interval": [float(change.mean()) - error, float(change.mean()) + error],
        "gini": report["gini"],
        "coverage": report["coverage"],
        "lists": tally.lists,
        "targets": len(tally.gains),
    }


def tags(log: Log, categories: Sequence[str]) -> list[LogRecord]:
    """An operator's words that put users into the segments of their tastes."""
    values = [orjson.loads(line.value) for line in log.items]
    of = {one["item_id"]: set(one.get("categories", ())) for one in values}
    liked: dict[str, list[set[str]]] = {}
    for one in (orjson.loads(line.value) for line in log.events):
        if one.get("rating", 0.0) >= LIKED_RATING:
            liked.setdefault(one["user_id"], []).append(of.get(one["item_id"], set()))
    words = []
    for category in categories:
        shares = {user: np.mean([category in one for one in had]) for user, had in liked.items()}
        median = np.median(list(shares.values()))
        words += [(user, category) for user, share in shares.items() if share > median]
    at = values[0]["ts"]
    return [_tag(number, at, *word) for number, word in enumerate(words)]


def _tag(number: int, at: int, user: str, segment: str) -> LogRecord:
    value = {"event_id": f"tag-{number}", "ts": at, "kind": "tag_user", "user_id": user}
    value |= {"segment": segment, "by": "bench", "why": "taste"}
    return LogRecord(number + 1, Topic.CONTROLS, user.encode(), orjson.dumps(value))


def by_segment(
    log: Log, settings: Settings, encoder: Encoder, categories: Sequence[str], batch: int
) -> dict[str, Any]:
    """What one engine told last of each group, and how often it did."""
    learner = replace(settings.learner, fair_segments=",".join(categories))
    engine = InlineEngine(replace(settings, learner=learner), encoder)
    words = tags(log, categories)
    for _ in engine.play([*log.items, *words], 256):
        pass
    names = [*categories, "other"]
    found: dict[str, dict[str, Any]] = {name: {"told": 0} for name in names}
    gaps: dict[str, float | None] = {}
    looks = 0
    for start in range(0, len(log.events), batch):
        engine.process(log.events[start : start + batch])
        if start < SECOND_HALF * len(log.events):
            continue
        looks += 1
        quality = engine.learner.groups.report()["segment"]
        for name in names:
            if quality[name]["ndcg10"] is not None:
                found[name] |= quality[name] | {"told": found[name]["told"] + 1}
        own = engine.learner.groups.segments.gaps()
        gaps = own if own["ndcg10"] is not None else gaps
    shown = engine.fair.report()
    return {
        "users": {
            name: sum(f'"{name}"'.encode() in one.value for one in words) for name in categories
        },
        "groups": {
            name: {**one, "told": one["told"] / looks, "lists": shown["segments"][name]}
            for name, one in found.items()
        },
        "quality_gaps": gaps,
        "gaps": shown["gaps"],
    }


def show_segments(log: Path, told: dict[str, Any], console: Console) -> None:
    """The table of one run."""
    columns = ("segment", "users", "told", "NDCG@10", "HR@10", "lists", "divergence", "tail")
    table = Table(*columns, title=f"{log.name}: by segment of users")
    for name, one in told["groups"].items():
        figures = [one.get("ndcg10"), one.get("hr10"), *one["lists"].values()]
        cells = ["–" if value is None else f"{value:.4f}" for value in figures]
        users = "the others" if name == "other" else str(told["users"][name])
        table.add_row(name, users, f"{one['told']:.0%}", *cells)
    console.print(table)


def show(log: Path, group: str, runs: dict[str, dict[str, Any]], console: Console) -> None:
    """The table of one group."""
    first = next(iter(runs.values()))
    table = Table(
        *("at least", "reached", "term", "NDCG@10", "less none's", "Gini", "coverage"),
        title=f"{log.name}, {group}: {first['lists']:,} lists, {first['targets']:,} targets",
    )
    for least, one in runs.items():
        low, high = one["interval"]
        table.add_row(
            least if float(least) else "none",
            f"{one['reached']:.3f}",
            f"{one['term']:.2f}",
            f"{one['ndcg10']:.5f}",
            f"{one['change']:+.5f} ({low:+.5f} to {high:+.5f})" if float(least) else "",
            f"{one['gini']:.3f}",
            f"{one['coverage']:.3f}",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, default=8_000)
    parser.add_argument("--bounds", nargs="+", default=BOUNDS)
    parser.add_argument("--segments", help="categories, with a comma")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=arguments.seed, fused=False, explore=0.0)
    settings = replace(settings, learner=learner)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    log = load_log(arguments.log, arguments.events, None)
    console, groups = Console(width=120), dict[str, dict[str, Any]]()
    own = {"log": str(arguments.log), "seed": arguments.seed, "hardware": hardware()}
    if arguments.segments:
        names = arguments.segments.split(",")
        told_of = by_segment(log, settings, encoder, names, arguments.batch)
        show_segments(arguments.log, told_of, console)
        encoder.close()
        tracked.tell({**own, "segments": told_of})
        return
    for group, _, shares in (one.rpartition("=") for one in arguments.bounds):
        before, report = run(log, settings, encoder, group, 0.0, arguments.batch)
        runs = {"0": told(before, report, before)}
        for least in (one for one in shares.split(",") if float(one)):
            found = run(log, settings, encoder, group, float(least), arguments.batch)
            runs[least] = told(*found, before)
        groups[group] = runs
        show(arguments.log, group, runs, console)
    encoder.close()
    tracked.tell({**own, "groups": groups})


if __name__ == "__main__":
    main()
