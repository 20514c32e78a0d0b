"""What is counted of a log, against dictionaries: each item and pair once a user, transitions by
how far back they reach, and what text neighbours earn.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.catalogue.catalogue import Catalogue
from learner.counts.block import MET, MET_LIKED, NEW, NEWCOMER_EVENTS
from learner.counts.counts import (
    COUNTED,
    FAR_DECAY,
    NEAR_DECAY,
    NEAR_WINDOW,
    Counts,
    CountState,
    count_event,
    inherit,
)
from learner.counts.popularity import COUNT, EARNED, TEXT
from tests.learner.counted import value_of
from tests.learner.training.small import DIMENSION, catalogue

ITEMS = 8
LOGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, ITEMS - 1), st.booleans()), max_size=40)
Log = list[tuple[int, int, bool]]
Entries = dict[tuple[int, int], float]


class World:
    """Counts over a few items, and each user's history as the stream keeps it."""

    def __init__(self, cap: int = 64) -> None:
        self.catalogue = Catalogue(DIMENSION)
        self.catalogue.announce(catalogue(ITEMS))
        self.counts = Counts(cap)
        self.counts.grow(self.catalogue.capacity)
        self.past: dict[int, dict[int, bool]] = defaultdict(dict)

    @property
    def state(self) -> CountState:
        return self.counts.state(
            self.catalogue.graph.state,
            self.catalogue.features.state,
            self.catalogue.relations.state,
        )

    def count(self, user: int, item: int, liked: bool, weight: float = 1.0) -> None:
        past = self.past[user]
        met = NEW if item not in past else MET_LIKED if past[item] else MET
        history = np.array(list(past)[::-1], np.int32)
        flags = np.array(list(past.values())[::-1], np.bool_)
        newcomer = len(past) <= NEWCOMER_EVENTS
        count_event(self.state, item, liked, newcomer, met, weight, history, flags, ITEMS)
        past[item] = past.pop(item, False) or liked

    def run(self, log: Log) -> None:
        for user, item, liked in log:
            self.count(user, item, liked)

    def entries(self, table: str) -> Entries:
        state = getattr(self.state, table)
        found = {
            (row, column): value_of(state, row, column)
            for row in range(ITEMS)
            for column in range(ITEMS)
        }
        return {pair: value for pair, value in found.items() if value > 0.0}


def plain(log: Log) -> dict[str, Entries]:
    """The tables that fade by nothing, by the rule."""
    tables: dict[str, Entries] = defaultdict(lambda: defaultdict(float))
    past: dict[int, dict[int, bool]] = defaultdict(dict)
    for user, item, liked in log:
        seen = past[user]
        history = list(seen)[::-1][:COUNTED]
        if item not in seen:
            for place, other in enumerate(history):
                tables["pairs_any"][item, other] += 1.0
                tables["pairs_any"][other, item] += 1.0
                tables["far"][other, item] += FAR_DECAY**place
                if place < NEAR_WINDOW:
                    tables["near_any"][other, item] += NEAR_DECAY**place
        if liked and not seen.get(item, False):
            likes = [other for other in history if seen[other] and other != item]
            for place, other in enumerate(likes):
                tables["pairs"][item, other] += 1.0
                tables["pairs"][other, item] += 1.0
                if place < NEAR_WINDOW:
                    tables["near"][other, item] += NEAR_DECAY**place
        seen[item] = seen.pop(item, False) or liked
    return {name: dict(table) for name, table in tables.items()}


@settings(max_examples=40)
@given(LOGS)
def test_tables_are_what_the_rule_says(log: Log) -> None:
    world, expected = World(), plain(log)
    world.run(log)
    for table in ("pairs", "pairs_any", "near", "near_any", "far"):
        assert world.entries(table) == pytest.approx(expected.get(table, {}), rel=1e-5)


@settings(max_examples=40)
@given(LOGS)
def test_people_are_counted_once_an_item_and_events_each_time(log: Log) -> None:
    world = World()
    world.run(log)
    state = world.state
    people = Counter(item for _, item in {(user, item) for user, item, _ in log})
    likers = Counter(item for _, item in {(user, item) for user, item, liked in log if liked})
    events = Counter(item for _, item, _ in log)
    for item in range(ITEMS):
        assert (state.people[item], state.liked[item]) == (people[item], likers[item])
        assert state.popularity.values[COUNT, item] == events[item]
    assert state.clock[0] == len(log)


def test_who_comes_back_adds_to_no_table() -> None:
    world = World()
    world.run([(0, 1, True), (0, 2, True), (0, 3, False)])
    before = {table: world.entries(table) for table in ("pairs", "pairs_any", "near", "far")}
    world.run([(0, 1, True), (0, 2, False), (0, 3, False)])
    assert {table: world.entries(table) for table in before} == before


def test_an_event_weighs_in_tables_as_it_is_weighed_and_counts_whole() -> None:
    world = World()
    world.count(0, 1, True)
    world.count(0, 2, True, weight=0.25)
    assert world.entries("pairs") == {(1, 2): 0.25, (2, 1): 0.25}
    assert world.entries("last") == pytest.approx({(1, 2): 0.25})
    assert world.state.popularity.values[COUNT, 2] == 1.0


@settings(max_examples=20)
@given(LOGS)
def test_what_neighbours_earned_one_by_one_is_what_is_summed_at_once(log: Log) -> None:
    world = World()
    world.run(log)
    state = world.state
    graph, values = state.text, state.popularity.values
    counted = values[TEXT, :ITEMS].copy()
    for row in range(ITEMS):
        near = slice(0, graph.sizes[row])
        earned = graph.similarities[row, near] @ values[EARNED, graph.ids[row, near]]
        assert counted[row] == pytest.approx(earned, rel=1e-5, abs=1e-6)
    values[TEXT, :ITEMS] = -1.0
    inherit(state, np.arange(ITEMS, dtype=np.int64), ITEMS, False)
    np.testing.assert_allclose(values[TEXT, :ITEMS], counted, rtol=1e-5, atol=1e-6)


@settings(max_examples=20)
@given(LOGS, LOGS)
def test_restored_counts_go_on_like_those_they_came_from(log: Log, more: Log) -> None:
    one, other = World(), World()
    one.run(log)
    other.counts.restore(one.counts.arrays(ITEMS))
    other.past = defaultdict(dict, {user: dict(seen) for user, seen in one.past.items()})
    for world in (one, other):
        world.run(more)
    ours, theirs = one.counts.arrays(ITEMS), other.counts.arrays(ITEMS)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


@settings(max_examples=20)
@given(LOGS, st.sets(st.integers(0, ITEMS - 1)))
def test_nothing_is_left_of_forgotten_items_and_all_of_the_others(log: Log, gone: set[int]) -> None:
    world = World()
    world.run(log)
    before, people = world.entries("pairs_any"), world.state.people.copy()
    world.counts.forget(np.isin(np.arange(world.catalogue.capacity), list(gone)), ITEMS)
    kept = {pair: value for pair, value in before.items() if not gone & set(pair)}
    assert world.entries("pairs_any") == kept
    for item in range(ITEMS):
        assert world.state.people[item] == (0.0 if item in gone else people[item])
        assert item not in gone or not world.state.popularity.values[:, item].any()


def test_entries_that_made_room_are_counted_by_table() -> None:
    world = World(cap=2)
    world.run([(0, item, False) for item in range(4)])
    evicted = world.counts.evicted
    assert evicted["pairs_any"] > 0
    assert (evicted["pairs"], evicted["near"]) == (0, 0)
