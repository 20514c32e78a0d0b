"""The simulation's engine ranks as the product does, answers teach, and its worlds hide nothing
twice.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import orjson
import pytest

from bench.simulations.active import (
    Visits,
    forked,
    item_events,
    learned,
    requested,
    run,
)
from bench.simulations.active_policies import PLACES, POLICIES, Asker, New
from bench.simulations.active_table import compared
from bench.simulations.active_worlds import World, coat_world, movielens_world, review
from encoders.hashing import HashingEncoder
from learner.ranking.explore import POOL
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import RankRequest
from upwell.recommendations import Entry

ROOT = Path(__file__).parents[3]
USERS, ITEMS, KNOWN = 30, 60, 40
BEGIN_MS = 1_400_000_000_000
ARGUMENTS = argparse.Namespace(visits=2, whole=False)


def small_world() -> World:
    """Users like every fourth item. A third of what they rate of known items was learned, a sixth
    comes meanwhile, the rest answers; of new ones three tenths answer, the likes among the others
    are targets.
    """
    rng = np.random.default_rng(4)
    items = [
        LogRecord(0, Topic.ITEMS, f"m{n}".encode(), orjson.dumps({**_item(n), "ts": BEGIN_MS}))
        for n in range(ITEMS)
    ]
    past = list[LogRecord]()
    answers, targets = dict[tuple[str, str], float](), defaultdict[str, set[str]](set)
    meanwhile = defaultdict[str, list[tuple[str, float]]](list)
    for user in range(USERS):
        for n in map(int, rng.permutation(ITEMS)):
            pair, stars = (f"u{user}", f"m{n}"), 5.0 if (n - user) % 4 == 0 else 2.0
            lot = rng.random()
            if n < KNOWN and lot < 1 / 3:
                past.append(review(f"p{len(past)}", *pair, stars, BEGIN_MS + len(past)))
            elif n < KNOWN and lot < 0.5:
                meanwhile[pair[0]].append((pair[1], stars))
            elif n < KNOWN or lot < 0.3:
                answers[pair] = stars
            elif stars == 5.0:
                targets[pair[0]].add(pair[1])
    clock = {f"u{user}": BEGIN_MS + len(past) for user in range(USERS)}
    return World(items, past, dict(meanwhile), answers, dict(targets), clock)


def _item(n: int) -> dict[str, object]:
    return {"item_id": f"m{n}", "title": f"Film {n} {n % 4}", "categories": [f"kind {n % 7}"]}


def engine_of(world: World) -> InlineEngine:
    return learned(world, HashingEncoder(16), 7)


def asked_of(engine: InlineEngine, users: Sequence[str]) -> list[RankRequest]:
    """What the ranker is asked where these users ask for a list."""
    found: list[RankRequest] = []

    def rank(requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        found.extend(requests)
        return [()] * len(requests)

    with patch.object(engine.learner, "rank", rank):
        engine.process([requested(user, f"q-{user}", BEGIN_MS + 10**9) for user in users])
    return found


@pytest.fixture(scope="module")
def visited() -> tuple[InlineEngine, list[RankRequest]]:
    """An engine after two visits of all, and what is asked of it next."""
    world = small_world()
    engine = engine_of(world)
    visits = Visits(world, engine, Asker(engine.learner, POLICIES["lot of ten"], 7), whole=False)
    for visit in range(2):
        visits.all_users(visit, 7)
    return engine, asked_of(engine, sorted(world.clock))


def test_without_a_policy_lists_are_the_products(
    visited: tuple[InlineEngine, list[RankRequest]],
) -> None:
    engine, requests = visited
    assert all(one.worn for one in requests)
    own, products = Asker(engine.learner, None, 7).rank(requests), engine.learner.rank(requests)
    for mine, theirs in zip(own, products, strict=True):
        assert [one.item_id for one in mine] == [one.item_id for one in theirs]
        np.testing.assert_allclose(
            np.diff([one.score for one in mine]), np.diff([one.score for one in theirs]), atol=1e-4
        )


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_changes_the_last_place_alone_and_asks_for_a_new_item(
    visited: tuple[InlineEngine, list[RankRequest]], name: str
) -> None:
    engine, requests = visited
    events = item_events(engine)
    plain = Asker(engine.learner, None, 7).rank(requests)
    asked = Asker(engine.learner, POLICIES[name], 7).rank(requests)
    for mine, without in zip(asked, plain, strict=True):
        assert mine[:-1] == without[:-1]
        assert len(mine) == PLACES
        assert mine[-1].explored
        assert 0.0 < mine[-1].propensity <= 1.0
        assert events[mine[-1].item_id] <= 2
        assert mine[-1].item_id not in {one.item_id for one in without}
    again = Asker(engine.learner, POLICIES[name], 7).rank(requests)
    assert again == asked


def test_diversity_asks_for_none_again_while_others_were_never_asked() -> None:
    world = small_world()
    engine = engine_of(world)
    unmet = [item for item, count in item_events(engine).items() if not count]
    requests = asked_of(engine, sorted(world.clock))
    asked = [
        one[-1].item_id for one in Asker(engine.learner, POLICIES["diversity"], 7).rank(requests)
    ]
    fresh = len(unmet) - POOL
    assert fresh >= 5
    assert len(set(asked[:fresh])) == fresh
    lots = [
        one[-1].item_id for one in Asker(engine.learner, POLICIES["lot of ten"], 7).rank(requests)
    ]
    assert len(set(lots[:fresh])) < fresh


def some_new(count: int) -> New:
    rng = np.random.default_rng(count)
    score = -np.sort(-rng.normal(size=count))
    events = rng.integers(0, 3, count).astype(float)
    return New(score, events, rng.random(count), rng.random(count), rng.random(count))


@pytest.mark.parametrize("count", [1, 4, 40])
@pytest.mark.parametrize("name", POLICIES)
def test_chances_sum_to_one(name: str, count: int) -> None:
    chances = POLICIES[name](some_new(count))
    assert chances.shape == (count,)
    assert chances.min() >= 0.0
    assert chances.sum() == pytest.approx(1.0)


def test_pools_by_hand() -> None:
    new = some_new(90)

    def pool(name: str) -> set[int]:
        chances = POLICIES[name](new)
        assert set(chances[chances > 0.0]) == {1.0 / np.count_nonzero(chances)}
        return set(np.flatnonzero(chances).tolist())

    assert pool("lot of ten") == set(range(10))
    assert pool("lot of three") == {0, 1, 2}
    assert new.events[sorted(pool("fewest events"))].max() == 0.0
    assert pool("fewest events") == set(np.flatnonzero(new.events == 0)[:10].tolist())
    assert pool("most events") == set(np.flatnonzero(new.events == 2)[:10].tolist())
    assert pool("diversity") == set(np.argsort(new.near)[:10].tolist())
    assert pool("spread") == set(np.argsort(-new.spread)[:10].tolist())
    assert pool("disagreement") == set(np.argsort(-new.disagreement)[:10].tolist())
    bound = POLICIES["upper bound"](new)
    np.testing.assert_array_equal(np.argsort(bound), np.argsort(new.score + new.spread))


@pytest.mark.parametrize("whole", [False, True])
def test_answers_are_learned_and_nothing_else(whole: bool) -> None:
    world = small_world()
    engine = engine_of(world)
    before = item_events(engine)
    visits = Visits(world, engine, Asker(engine.learner, POLICIES["lot of ten"], 7), whole)
    for visit in range(2):
        visits.all_users(visit, 7)
    after = item_events(engine)
    counts = visits.counts
    assert counts["asked"] == 2 * USERS
    assert 0 < counts["liked"] < counts["answered"] < counts["asked"]
    assert (counts["others"] > 0) == whole
    assert counts["meanwhile"] == 2 * USERS
    learned_of = counts["answered"] + counts["others"] + counts["meanwhile"]
    assert sum(after.values()) - sum(before.values()) == learned_of
    if not whole:
        grown = {item for item in after if after[item] > before[item]}
        own = {item for rows in world.meanwhile.values() for item, _ in rows[:2]}
        assert grown <= visits.items | own


def test_a_fork_leaves_the_engine_as_it_was_and_gives_the_same_figures_again() -> None:
    world = small_world()
    engine = engine_of(world)
    before = item_events(engine)
    policy = POLICIES["lot of ten"]
    first, second = (forked(lambda: run(world, engine, policy, ARGUMENTS)) for _ in range(2))
    assert item_events(engine) == before
    assert first == second == run(world, engine, policy, ARGUMENTS)
    assert item_events(engine) != before
    assert first["targets_new"] == sum(map(len, world.targets.values()))
    assert 0.0 < first["ndcg10_new"] <= first["ndcg10_all"]
    nothing = run(small_world(), engine_of(small_world()), None, ARGUMENTS)
    assert nothing["asked"] == nothing["answered"] == nothing["known"] == 0


def test_a_fork_that_fails_is_no_figure() -> None:
    def fails() -> dict[str, float]:
        raise ValueError("meant")

    with pytest.raises(EOFError):
        forked(fails)


def test_the_interval_is_of_the_paired_differences() -> None:
    assert compared([0.2, 0.4], [0.1, 0.1]) == pytest.approx(
        (0.2, 0.2 - 1.2706, 0.2 + 1.2706), abs=1e-3
    )


def told(records: list[LogRecord]) -> set[tuple[str, str]]:
    values = [orjson.loads(one.value) for one in records]
    return {(one["user_id"], one["item_id"]) for one in values}


def check(world: World, ratings: int) -> None:
    """Every rating is learned, comes meanwhile, is an answer, a target, or was a later one that
    nobody liked.
    """
    past, answers = told(world.past), set(world.answers)
    own = {(user, item) for user, rows in world.meanwhile.items() for item, _ in rows}
    targets = {(user, item) for user, items in world.targets.items() for item in items}
    parts = (past, own, answers, targets)
    assert min(map(len, parts)) > 0
    assert len(past | own | answers | targets) == sum(map(len, parts)) <= ratings
    assert len(past) == len(world.past)
    items = {orjson.loads(one.value)["item_id"] for one in world.items}
    known = {item for _, item in past | own}
    assert known < items
    assert {item for _, item in answers | targets} <= items
    assert {user for user, _ in past | answers | targets} <= set(world.clock)
    for record in world.past:
        value = orjson.loads(record.value)
        assert value["ts"] <= world.clock[value["user_id"]]


def test_the_movielens_world() -> None:
    path = ROOT / "data/movielens/events.jsonl.gz"
    world = movielens_world(path, 1, 1 / 3)
    check(world, 100_836)
    other = movielens_world(path, 2, 1 / 3)
    assert other.targets == world.targets
    assert told(other.past) != told(world.past)


def test_the_coat_world(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    chosen, random = (
        np.where(rng.random((20, 30)) < 0.3, rng.integers(1, 6, (20, 30)), 0) for _ in range(2)
    )
    items = np.stack([np.arange(30) % 2 == 0, np.arange(30) % 2 == 1, np.ones(30)], axis=1)
    names = "gender:men\ngender:women\nonfrontpage:yes\n"
    ones = np.ones((20, 30))
    for name, matrix in (
        *(("train", chosen), ("test", random), ("propensities", ones)),
        *(("user_features", ones[:, :2]), ("item_features", items)),
    ):
        np.savetxt(tmp_path / f"{name}.ascii", matrix, fmt="%d")
    for name in ("user", "item"):
        (tmp_path / f"{name}_features_map.txt").write_text(names)
    world = coat_world(tmp_path, 1, 0.5)
    check(world, 2 * 20 * 30)
    announced = [orjson.loads(one.value) for one in world.items]
    assert announced[1]["title"] == "Coat: women"
    assert announced[1]["categories"] == ["gender:women", "onfrontpage:yes"]
    asked = {pair for pair in world.answers if random[int(pair[0][1:]), int(pair[1][1:])]}
    assert asked
    for user, item in told(world.past):
        assert chosen[int(user[1:]), int(item[1:])]
