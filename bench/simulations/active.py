"""What the explored place should ask: `python -m bench.simulations.active LOG|FOLDER`.

LOG: MovieLens, its dense part. FOLDER: the Coat data (bench/coat.py). A replayed log does not
answer to what is shown, so here ratings wait as answers (bench/simulations/active_worlds.py): an
engine learns the past, then each user visits again and again. A visit is a list of ten whose last
place asks for a new item by a policy; what the user rated is answered by that rating and learned at
once, with --whole on the other places too; all else is an impression. With each visit comes one
rating of the user's that no list had to do with. The lot falls on every visit, since others ask
nothing: 100 visits are 2,000 lists at the default `UPWELL_EXPLORE`.

All policies start from the same engine, see the same users in the same order and have the same
lots. NDCG@10: of the targets, liked later and never answered, in the list of each user a month
after; `new` of items that had at most two events before the visits. The difference to the product's
policy is paired by seed, with a 95 % interval over seeds (Student's t). Prints a table, then one
JSON object as the last line.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import orjson

from bench.hardware import hardware
from bench.results.bench_run import BenchRun
from bench.simulations.active_policies import PLACES, POLICIES, Asker, Policy
from bench.simulations.active_table import Figures, print_table
from bench.simulations.active_worlds import World, review, world_of
from bench.simulations.fatigue import drawn
from encoders import load_encoder
from encoders.hashing import HashingEncoder
from learner.counts.popularity import COUNT
from learner.ranking.candidates import COLD_EVENTS
from stream.chain.effects import FreshList
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder, RankRequest
from upwell.recommendations import Entry
from upwell.settings import load_settings
from upwell.values import LIKED_RATING

__all__ = ["Visits", "forked", "item_events", "learned", "ndcg10", "requested", "run"]

BATCH, TOGETHER = 256, 25
"""Records of a micro-batch; users who visit between two steps of learning."""
HOURS_MS, MONTH_MS = 12 * 3_600_000, 30 * 86_400_000
NOTHING = "nothing asked"


def learned(world: World, encoder: Encoder, seed: int) -> InlineEngine:
    """An engine that knows the past; no lot falls in it."""
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, seed=seed, fused=False, explore=0.0, test_sample=1.0)
    stream = replace(settings.stream, bot_events=0, list_k=PLACES, fatigue=True)
    engine = InlineEngine(replace(settings, learner=learner, stream=stream), encoder)
    with _ranked(engine, _nothing):
        for _ in engine.play([*world.items, *world.past], BATCH):
            pass
    return engine


@contextmanager
def _ranked(
    engine: InlineEngine, rank: Callable[[Sequence[RankRequest]], list[tuple[Entry, ...]]]
) -> Iterator[None]:
    with patch.object(engine.learner, "rank", rank):
        yield


def _nothing(requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
    """Lists that nobody sees."""
    return [()] * len(requests)


class Visits:
    """Users who visit, and what they answered. counts: asked, answered, liked (on the explored
    place), answers on other places, and ratings meanwhile.
    """

    def __init__(self, world: World, engine: InlineEngine, asker: Asker, whole: bool) -> None:
        self._world, self._engine, self._asker, self._whole = world, engine, asker, whole
        self._answers = dict(world.answers)
        self.counts = Counter(asked=0, answered=0, liked=0, others=0, meanwhile=0)
        self.items = set[str]()

    def all_users(self, visit: int, seed: int) -> None:
        """Each once, in an order by seed."""
        users = sorted(self._world.clock, key=lambda user: drawn("order", user, visit, seed))
        for start in range(0, len(users), TOGETHER):
            some = users[start : start + TOGETHER]
            with _ranked(self._engine, self._asker.rank):
                lists = self._engine.process([self._request(user, visit) for user in some]).lists
            with _ranked(self._engine, _nothing):
                self._engine.process([one for fresh in lists for one in self._told(fresh, visit)])
                self._engine.process([one for user in some for one in self._own(user, visit)])

    def _now(self, user: str, visit: int) -> int:
        return self._world.clock[user] + (1 + visit) * HOURS_MS

    def _request(self, user: str, visit: int) -> LogRecord:
        return requested(user, f"v{visit}-{user}", self._now(user, visit))

    def _told(self, fresh: FreshList, visit: int) -> Iterator[LogRecord]:
        """The impression, and the answers to it."""
        user, now = fresh.user_id, self._now(fresh.user_id, visit)
        value = {
            "event_id": f"i{visit}-{user}",
            "ts": now,
            "user_id": user,
            "list_id": fresh.list_id,
            "item_ids": [entry.item_id for entry in fresh.items],
        }
        yield LogRecord(0, Topic.IMPRESSIONS, user.encode(), orjson.dumps(value))
        for entry in fresh.items:
            if entry.explored:
                self.counts["asked"] += 1
                self.items.add(entry.item_id)
            elif not self._whole:
                continue
            stars = self._answers.pop((user, entry.item_id), None)
            if stars is not None:
                self._count(entry, stars)
                yield review(f"a{visit}-{user}-{entry.item_id}", user, entry.item_id, stars, now)

    def _own(self, user: str, visit: int) -> Iterator[LogRecord]:
        """The user's next rating, whatever they were shown."""
        for item, stars in self._world.meanwhile.get(user, [])[visit : visit + 1]:
            self.counts["meanwhile"] += 1
            yield review(f"m{visit}-{user}", user, item, stars, self._now(user, visit) + 60_000)

    def _count(self, entry: Entry, stars: float) -> None:
        self.counts["answered" if entry.explored else "others"] += 1
        self.counts["liked"] += entry.explored and stars >= LIKED_RATING


def requested(user: str, name: str, now: int) -> LogRecord:
    value = {"event_id": f"e{name}", "ts": now, "user_id": user, "request_id": name, "k": PLACES}
    return LogRecord(0, Topic.REQUESTS, user.encode(), orjson.dumps(value))


def item_events(engine: InlineEngine) -> dict[str, float]:
    """Of every item, so far."""
    ranking = engine.learner.ranking
    counted = ranking.state().popularity.values[COUNT]
    return dict(zip(ranking.catalogue.ids, map(float, counted), strict=False))


def ndcg10(world: World, engine: InlineEngine, new: set[str], visits: int) -> Figures:
    """Of all targets, and of those on items `new`, in lists by the engine's own score."""
    gains: dict[str, list[float]] = {"all": [], "new": []}
    users = sorted(world.targets)
    later = visits * HOURS_MS + MONTH_MS
    for start in range(0, len(users), BATCH):
        some = users[start : start + BATCH]
        asked = [requested(user, f"t-{user}", world.clock[user] + later) for user in some]
        for fresh in engine.process(asked).lists:
            place = {entry.item_id: number for number, entry in enumerate(fresh.items, 1)}
            for item in sorted(world.targets[fresh.user_id]):
                gain = 1.0 / math.log2(1 + place[item]) if item in place else 0.0
                gains["all"].append(gain)
                if item in new:
                    gains["new"].append(gain)
    return {f"ndcg10_{name}": float(np.mean(one)) for name, one in gains.items()} | {
        f"targets_{name}": len(one) for name, one in gains.items()
    }


def run(
    world: World, engine: InlineEngine, policy: Policy | None, arguments: argparse.Namespace
) -> Figures:
    """All visits, then the test. It changes the engine."""
    seed = engine.learner.settings.seed
    before = item_events(engine)
    new = {item for item, count in before.items() if count <= COLD_EVENTS}
    visits = Visits(world, engine, Asker(engine.learner, policy, seed), arguments.whole)
    for visit in range(arguments.visits):
        visits.all_users(visit, seed)
    after = item_events(engine)
    return {
        **visits.counts,
        "different": len(visits.items),
        "users": len(world.clock),
        "items": len(world.items),
        "new": len(new),
        "known": sum(after[item] > COLD_EVENTS for item in new),
        **ndcg10(world, engine, new, arguments.visits),
    }


def forked(work: Callable[[], Figures]) -> Figures:
    """`work` in a copy of this process: whatever it changes stays there. Raises `EOFError` where
    it fails.
    """
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(work()))
    process.start()
    theirs.close()
    try:
        return dict(mine.recv())
    finally:
        process.join()


def seed_figures(
    policies: Mapping[str, Policy | None],
    encoder: Encoder,
    seed: int,
    arguments: argparse.Namespace,
) -> dict[str, Figures]:
    """Every policy from the same engine."""
    world = world_of(arguments.log, seed, arguments.new)
    engine = learned(world, encoder, seed)
    found = {}
    for name, policy in policies.items():
        found[name] = forked(partial(run, world, engine, policy, arguments))
        print(f"seed {seed}, {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--visits", type=int, default=12, help="of each user")
    parser.add_argument("--new", type=float, default=1 / 3, help="share of items that are new")
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=list(POLICIES))
    parser.add_argument("--whole", action="store_true", help="all ten places are answered")
    parser.add_argument("--hashing", action="store_true", help="without the language model")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    asking = dict.fromkeys([next(iter(POLICIES)), *arguments.policies])
    policies: dict[str, Policy | None] = {
        NOTHING: None,
        **{name: POLICIES[name] for name in asking},
    }
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    encoder: Encoder = (
        HashingEncoder(64)
        if arguments.hashing
        else load_encoder(settings.encoder.model, device=settings.encoder.device)
    )
    seeds = [
        seed_figures(policies, encoder, seed, arguments) for seed in range(1, 1 + arguments.seeds)
    ]
    found = {name: [one[name] for one in seeds] for name in policies}
    one = found[NOTHING][0]
    title = (
        f"{arguments.log.name}, {arguments.visits} visits each, {arguments.seeds} seeds; "
        f"of the first {one['users']:.0f} users, {one['new']:.0f} new items of {one['items']:.0f}, "
        f"{one['targets_all']:,.0f} targets ({one['targets_new']:,.0f} on new items)"
    )
    print_table(found, next(iter(POLICIES)), title)
    told = {**vars(arguments), "log": str(arguments.log)}
    tracked.tell({**told, "hardware": hardware(), "runs": found})


if __name__ == "__main__":
    main()
