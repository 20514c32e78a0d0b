"""Noise in a log, and what learning less of it brings.

    python -m bench.attacks.noise LOG [--ratings 3000] [--kinds KIND …] [--shares .05 .1 .2]
    [--ways WAY …] [--seed 7] [--every 2]

Kinds: `likes`, five stars of random users for random items; `flipped`, ratings turned round (4.5 to
1); `clicks`, random users' clicks that came of nothing, each with a dwell of a second. Ways: `none`
learns all; `bounded` weighs users with a short past less; `burst` has the quarantine; `small_loss`
leaves out likes that the model has further down than its `WITHIN`th place, from users with a past
(the small-loss rule of co-teaching, Han et al. 2018, with one model); `co_teaching` has a second
model, which has not seen a quarter of the users, and each leaves out what the other one would not
have expected; `ensemble` leaves out what neither the model nor itself of a while ago would have
(temporal ensembling, Laine and Aila 2017); `dwell` leaves out clicks that were left sooner than
three seconds. NDCG@10 is of targets that are no noise. Prints one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson

from bench.attacks.engine import Folder, Keep, run, state_of
from bench.attacks.profiles import FAKE, Fake, inserted
from bench.attacks.run import named_items
from bench.hardware import hardware
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from learner.training.learner import Learner
from stream.quarantine.quarantine import Quarantine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings, load_settings
from upwell.values import Example

__all__ = ["KINDS", "WAYS", "co_teaching", "ensemble", "noisy", "small_loss"]

KINDS = ("likes", "flipped", "clicks")
WAYS = ("none", "bounded", "burst", "small_loss", "co_teaching", "ensemble", "dwell")
WITHIN, PAST = 200, 20
"""Places, and events of a user's past, from which small_loss judges."""
BEHIND = 8
"""Blocks that the ensemble's other self has not learned yet."""
SHORT_MS, LEAST_MS = 1_000, 3_000


def noisy(log: Log, kind: str, share: float, rng: np.random.Generator) -> list[LogRecord]:
    """The log's events with so many noisy ones for each; of `flipped` in place of others."""
    places = np.flatnonzero(rng.random(len(log.events)) < share).tolist()
    if kind == "flipped":
        events = list(log.events)
        for place in places:
            events[place] = _flipped(events[place])
        return events
    values = [orjson.loads(one.value) for one in log.events]
    users = sorted({str(one["user_id"]) for one in values})
    items = sorted({str(one["item_id"]) for one in values})
    added: dict[int, list[Fake]] = defaultdict(list)
    for place in places:
        what = {"user_id": str(rng.choice(users)), "item_id": str(rng.choice(items))}
        if kind == "likes":
            added[place].append({**what, "topic": Topic.REVIEWS, "rating": 5.0})
        else:
            click = {"topic": Topic.CLICKS, "action": "click", "dwell_ms": SHORT_MS}
            added[place].append({**what, **click})
    return inserted(log.events, added)


def _flipped(record: LogRecord) -> LogRecord:
    value: dict[str, Any] = orjson.loads(record.value)
    number = value["event_id"]
    value |= {"rating": 5.5 - value["rating"], "event_id": f"{FAKE}{number}"}
    return replace(record, value=orjson.dumps(value))


def small_loss(learner: Learner, block: Sequence[Example]) -> list[Example]:
    """Without likes that the model would not have expected at all."""
    judged = [one for one in block if one.event.liked and one.user_events >= PAST]
    requests = [RankRequest(state=state_of(one, learner.dimension), k=WITHIN) for one in judged]
    found = learner.ranking.top(requests, learner.parameters)
    gone = {
        one.offset
        for one, (listed, _) in zip(judged, found, strict=True)
        if one.event.item_id not in listed
    }
    return [one for one in block if one.offset not in gone]


def co_teaching(second: Learner) -> Keep:
    """Each of both models learns what the other one expects; the second does not see every user."""

    def keep(learner: Learner, block: Sequence[Example]) -> list[Example]:
        own = small_loss(second, block)
        told = [one for one in small_loss(learner, block) if crc32(one.user.encode()) % 4]
        second.learn(told)
        return own

    return keep


def ensemble(behind: Learner) -> Keep:
    """What the model or its other self, some blocks behind, expects."""
    waiting: deque[list[Example]] = deque()

    def keep(learner: Learner, block: Sequence[Example]) -> list[Example]:
        expected = {one.offset for judge in (learner, behind) for one in small_loss(judge, block)}
        waiting.append([one for one in block if one.offset in expected])
        if len(waiting) > BEHIND:
            behind.learn(waiting.popleft())
        return waiting[-1]

    return keep


def _keep(way: str, short: frozenset[str], another: Callable[[], Learner]) -> Keep | None:
    if way == "co_teaching":
        return co_teaching(another())
    if way == "ensemble":
        return ensemble(another())
    if way == "burst":
        quarantine = Quarantine("burst", 30.0, {})
        return lambda _, block: quarantine.sift(block, 1)
    if way == "small_loss":
        return small_loss
    if way == "dwell":
        return lambda _, block: [one for one in block if one.event.event_id not in short]
    return None


def left_soon(events: Sequence[LogRecord]) -> frozenset[str]:
    """Ids of clicks with a dwell of less than `LEAST_MS`."""
    values = [orjson.loads(one.value) for one in events if one.topic is Topic.CLICKS]
    return frozenset(one["event_id"] for one in values if one.get("dwell_ms", LEAST_MS) < LEAST_MS)


def _another(folder: Folder, settings: LearnerSettings) -> Learner:
    learner = Learner(settings, len(folder.items[0].vector), settings.seed + 1)
    learner.add_items(folder.items)
    return learner


def measure(
    log: Log, folder: Folder, settings: LearnerSettings, arguments: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """NDCG@10 by noise and way."""
    streams = {"no noise": list(log.events)}
    for number, kind in enumerate(arguments.kinds):
        for share in arguments.shares:
            rng = np.random.default_rng([arguments.seed, number])
            streams[f"{kind} {share:.0%}"] = noisy(log, kind, share, rng)
    found: dict[str, dict[str, Any]] = {}
    for name, events in streams.items():
        examples, short, found[name] = list(folder.examples(events)), left_soon(events), {}
        for way in arguments.ways:
            own = replace(settings, bounded_influence=way == "bounded")
            keep, warmup = _keep(way, short, partial(_another, folder, own)), log.warmup
            outcome = run(folder.items, examples, own, warmup, arguments.every, keep)
            found[name][way] = outcome.ndcg10()
        print(name, orjson.dumps(found[name]).decode(), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=3_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--shares", nargs="+", type=float, default=[0.05, 0.1, 0.2])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=2)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    log = named_items(load_log(arguments.log, None, arguments.ratings))
    folder = Folder(log, load_encoder(settings.encoder.model, device=settings.encoder.device))
    learner = replace(settings.learner, seed=arguments.seed, test_sample=1.0, fused=False)
    tracked.tell(
        {
            "log": str(arguments.log),
            "ratings": len(log.events),
            "seed": arguments.seed,
            "hardware": hardware(),
            "noise": measure(log, folder, learner, arguments),
        }
    )


if __name__ == "__main__":
    main()
