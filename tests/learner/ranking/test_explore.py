"""Exploration: what a lot may change in a list, and that the stated propensities are those that it
is drawn with.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from learner.ranking.explore import POOL, draw, propensities
from learner.training.learner import Learner
from tests.learner.counted import item_events
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log, requests_of
from upwell.ports import RankRequest
from upwell.recommendations import Entry

EXAMPLES, STATES = log(300)
CHANCE = 0.5
K = 10


def explorer(chance: float = CHANCE, seed: int = 7) -> Learner:
    learner = Learner(replace(SETTINGS, explore=chance, seed=seed), DIMENSION, seed)
    learner.add_items(catalogue())
    learner.learn(EXAMPLES)
    return learner


@pytest.fixture(scope="module")
def learner() -> Learner:
    return explorer()


def asked(lots: int, k: int = K) -> list[RankRequest]:
    """Each user `lots` times, each time by another lot."""
    return [
        replace(one, k=k, lot=f"{number}-{one.state.user}")
        for number in range(lots)
        for one in requests_of(STATES)[: 2000 // lots + 1]
    ]


def pairs(
    learner: Learner, requests: list[RankRequest]
) -> Iterator[tuple[RankRequest, tuple[Entry, ...], tuple[Entry, ...]]]:
    """Each request with its list and with the list that it would have had without a lot."""
    greedy = learner.rank([replace(one, lot=None) for one in requests])
    return zip(requests, learner.rank(requests), greedy, strict=True)


def test_the_share_of_lots_is_the_chance_and_they_fall_anywhere() -> None:
    lots = [draw(7, f"e{number}", 0.2) for number in range(20_000)]
    fallen = [lot for lot in lots if lot >= 0.0]
    assert len(fallen) == pytest.approx(4_000, abs=4 * 57)
    tenths = Counter(int(10 * lot) for lot in fallen)
    assert set(tenths) == set(range(10))
    assert min(tenths.values()) > 400 - 5 * 20
    assert all(draw(7, f"e{number}", 0.0) == -1.0 for number in range(100))


def test_the_stated_propensities_are_those_that_items_are_drawn_with(learner: Learner) -> None:
    [request] = [one for one in requests_of(STATES) if one.state.user == "u3"]
    lots = 3_000
    last = [
        one[-1]
        for one in learner.rank([replace(request, lot=f"t{number}") for number in range(lots)])
    ]
    stated: dict[str, set[float]] = defaultdict(set)
    for entry in last:
        stated[entry.item_id].add(entry.propensity)
    assert len(stated) == POOL + 1
    assert all(len(values) == 1 for values in stated.values())
    chances = {item_id: values.pop() for item_id, values in stated.items()}
    assert sum(chances.values()) == pytest.approx(1.0)
    for item_id, count in Counter(entry.item_id for entry in last).items():
        expected = chances[item_id]
        assert count / lots == pytest.approx(
            expected, abs=5 * (expected * (1 - expected) / lots) ** 0.5
        )


def test_a_lot_changes_the_last_place_alone_and_puts_a_new_item_there(learner: Learner) -> None:
    events, explored = item_events(learner), 0
    for _, entries, greedy in pairs(learner, asked(20)):
        assert len(entries) == len(greedy) == K
        assert [replace(one, propensity=1.0) for one in entries[:-1]] == list(greedy[:-1])
        assert all(one.propensity == 1.0 and not one.explored for one in entries[:-1])
        if entries[-1].explored:
            explored += 1
            assert entries[-1].item_id not in {one.item_id for one in greedy}
            assert events.get(entries[-1].item_id, 0) <= 2
        else:
            assert replace(entries[-1], propensity=1.0) == greedy[-1]
    assert explored > 100


def test_reasons_of_an_explored_entry_sum_to_its_score(learner: Learner) -> None:
    drawn = [entries[-1] for entries in learner.rank(asked(20)) if entries[-1].explored]
    assert drawn
    for entry in drawn:
        assert sum(reason.weight for reason in entry.reasons) == pytest.approx(
            entry.score, abs=1e-5
        )


def test_the_same_seed_and_trigger_give_the_same_list_and_another_seed_others(
    learner: Learner,
) -> None:
    assert learner.rank(asked(4)) == explorer().rank(asked(4))
    assert learner.rank(asked(4)) != explorer(seed=8).rank(asked(4))


def test_without_chance_or_trigger_nothing_is_drawn(learner: Learner) -> None:
    greedy = learner.rank(requests_of(STATES))
    assert {(one.propensity, one.explored) for entries in greedy for one in entries} == {
        (1.0, False)
    }
    unexplored = explorer(0.0)
    assert unexplored.rank(asked(4)) == unexplored.rank(
        [replace(one, lot=None) for one in asked(4)]
    )


def test_a_drawn_item_is_none_that_the_user_had_or_excluded_nor_banned_or_of_another_category() -> (
    None
):
    learner = explorer()
    learner.add_items([replace(item, banned=True) for item in catalogue()[100:110]])
    requests = [replace(one, exclude=("i90", "i91", "i93"), category="odd") for one in asked(20)]
    drawn = 0
    for request, entries, _ in pairs(learner, requests):
        drawn += entries[-1].explored
        shown = {one.item_id for one in entries}
        assert len(shown) == len(entries)
        assert not shown & (
            {"i90", "i91", "i93", *(f"i{n}" for n in range(100, 110))} | set(request.state.had)
        )
        assert {int(item_id[1:]) % 2 for item_id in shown} == {1}
    assert drawn > 100


def test_pinned_items_are_neither_replaced_nor_drawn() -> None:
    learner = explorer()
    learner.add_items([replace(item, pinned=True) for item in catalogue()[108:112]])
    pinned = {"i108", "i109", "i110", "i111"}
    drawn = 0
    for request, entries, greedy in pairs(learner, asked(20, k=3)):
        left = pinned - set(request.state.had)
        assert len([one for one in entries if one.item_id in left]) == min(3, len(left))
        if len(left) >= 3:
            assert entries == greedy
        drawn += entries[-1].explored
        assert not (entries[-1].explored and entries[-1].item_id in pinned)
    assert drawn > 0


def test_a_list_of_one_and_one_that_shows_everything_are_not_explored(learner: Learner) -> None:
    for k in (1, 200):
        for _, entries, greedy in pairs(learner, asked(4, k=k)):
            assert entries == greedy


def test_propensities_of_no_places_and_of_an_empty_pool() -> None:
    assert propensities(0, 0, 0.1, False) == []
    assert propensities(3, 0, 0.1, False) == [1.0, 1.0, 1.0]
    assert propensities(2, 4, 0.1, True) == [1.0, 0.025]
    assert propensities(2, 4, 0.1, False) == [1.0, 0.9]
