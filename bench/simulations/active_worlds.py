"""Worlds in which it is known what a user answers to an item that they are shown, for
`bench.simulations.active`.

Every rating of a log is one of four: learned before, one that its user gives meanwhile whatever
they are shown, an answer that waits until the item is shown, or a target, which nothing answers. By
seed some items are new: of theirs there are answers and targets alone.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.coat import load
from bench.prequential import load_log
from bench.simulations.fatigue import drawn
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.values import LIKED_RATING

__all__ = ["World", "coat_world", "movielens_world", "review", "world_of"]

USER_RATINGS, ITEM_RATINGS = 150, 50
"""MovieLens: users and items with at least so many, so that a third of all pairs are rated."""
LEARNED, ANSWERED = 0.5, 0.75
"""Of each user's ratings of known items what was learned; MovieLens: up to where the rest goes."""
TARGETS = 0.5
"""Coat: of the ratings of randomly shown items."""
BEGIN_MS, STEP_MS = 1_400_000_000_000, 60_000
Pair = tuple[str, str]


@dataclass(frozen=True)
class World:
    """items: announcements. past: ratings that the engine has before. meanwhile: of each user items
    and stars, in order. answers: stars by (user, item). targets: of each user what they like later.
    clock: of each user the ts of their last rating in the past, UTC ms.
    """

    items: list[LogRecord]
    past: list[LogRecord]
    meanwhile: dict[str, list[tuple[str, float]]]
    answers: dict[Pair, float]
    targets: dict[str, set[str]]
    clock: dict[str, int]


def world_of(path: Path, seed: int, new: float) -> World:
    """A folder is Coat's, a file a log of ratings. new: the share of items that are."""
    return (coat_world if path.is_dir() else movielens_world)(path, seed, new)


def review(event_id: str, user: str, item: str, stars: float, ts: int) -> LogRecord:
    """A rating as an app sends it."""
    value = {"event_id": event_id, "ts": ts, "user_id": user, "item_id": item, "rating": stars}
    return LogRecord(0, Topic.REVIEWS, user.encode(), orjson.dumps(value))


def movielens_world(path: Path, seed: int, new: float) -> World:
    """Each user's ratings in time: the first half is learned, the third quarter comes meanwhile,
    the last quarter's likes are targets; of new items the first three quarters are answers.
    """
    log = load_log(path, None, sys.maxsize)
    values = [orjson.loads(one.value) for one in log.events]
    of_user, of_item = (Counter(one[key] for one in values) for key in ("user_id", "item_id"))
    dense = [
        (record, one["user_id"], one["item_id"], float(one["rating"]), int(one["ts"]))
        for record, one in zip(log.events, values, strict=True)
        if of_user[one["user_id"]] >= USER_RATINGS and of_item[one["item_id"]] >= ITEM_RATINGS
    ]
    total, seen = Counter(user for _, user, *_ in dense), Counter[str]()
    past, clock = list[LogRecord](), dict[str, int]()
    meanwhile = defaultdict[str, list[tuple[str, float]]](list)
    answers, targets = dict[Pair, float](), defaultdict[str, set[str]](set)
    for record, user, item, stars, ts in dense:
        part = seen[user] / total[user]
        seen[user] += 1
        clock.setdefault(user, ts)
        if part >= ANSWERED:
            if stars >= LIKED_RATING:
                targets[user].add(item)
        elif _is_new(item, seed, new):
            answers[user, item] = stars
        elif part < LEARNED:
            past.append(record)
            clock[user] = ts
        else:
            meanwhile[user].append((item, stars))
    kept = {item for _, _, item, _, _ in dense}
    items = [one for one in log.items if orjson.loads(one.value)["item_id"] in kept]
    return World(items, past, dict(meanwhile), answers, dict(targets), clock)


def coat_world(folder: Path, seed: int, new: float) -> World:
    """A half of the ratings of randomly shown items are targets; the other half, and what users
    chose of new items themselves, are answers. What they chose of known ones was learned, or comes
    meanwhile, a half each.
    """
    coat = load(folder)
    random, chosen = (
        {
            (f"u{user}", f"c{item}"): float(stars[user, item])
            for user, item in zip(*np.nonzero(stars), strict=True)
        }
        for stars in (coat.random.numpy(), coat.ratings.numpy())
    )
    later = {pair for pair in random if drawn("target", *pair, seed) < TARGETS}
    own = {pair for pair in chosen if pair not in later and not _is_new(pair[1], seed, new)}
    answers = {
        pair: stars
        for pair, stars in {**chosen, **random}.items()
        if pair not in later and pair not in own
    }
    targets = defaultdict[str, set[str]](set)
    for user, item in later:
        if random[user, item] >= LIKED_RATING:
            targets[user].add(item)
    learned = {pair for pair in own if drawn("learned", *pair, seed) < LEARNED}
    order = sorted(own, key=lambda pair: drawn("order", *pair, seed))
    meanwhile = defaultdict[str, list[tuple[str, float]]](list)
    for user, item in order:
        if (user, item) not in learned:
            meanwhile[user].append((item, chosen[user, item]))
    order = [pair for pair in order if pair in learned]
    past = [
        review(f"p{number}", *pair, chosen[pair], BEGIN_MS + number * STEP_MS)
        for number, pair in enumerate(order)
    ]
    users = {f"u{user}" for user in range(len(coat.ratings))}
    items = _coats(coat.item_names, coat.items.numpy() > 0)
    return World(items, past, dict(meanwhile), answers, dict(targets), _clock(users, order))


def _is_new(item: str, seed: int, share: float) -> bool:
    return drawn("new", item, seed) < share


def _clock(users: Iterable[str], order: Iterable[Pair]) -> dict[str, int]:
    last = dict.fromkeys(sorted(users), BEGIN_MS)
    for number, (user, _) in enumerate(order):
        last[user] = BEGIN_MS + number * STEP_MS
    return last


def _coats(names: list[str], has: NDArray[np.bool_]) -> list[LogRecord]:
    """Announcements; a coat's text is made of its features, as it has none."""
    records = []
    for number, row in enumerate(has):
        own = [name for name, here in zip(names, row, strict=True) if here]
        words = [name.partition(":")[2] for name in own if not name.startswith("onfrontpage")]
        item_id = f"c{number}"
        value = {
            "item_id": item_id,
            "ts": BEGIN_MS - STEP_MS,
            "title": f"Coat: {', '.join(words)}",
            "categories": own,
        }
        records.append(LogRecord(0, Topic.ITEMS, item_id.encode(), orjson.dumps(value)))
    return records
