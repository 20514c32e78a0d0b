"""What a history says of other items, against sums over the tables by the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.nearest.text import NEAREST
from learner.counts.counts import FAR_DECAY, NEAR_DECAY, RECENT_WINDOW, CountState
from learner.counts.events import past_of
from learner.counts.neighbours import Neighbours
from learner.ranking.affinity import (
    COVISITATION,
    FAR,
    LONG,
    RELATED,
    RELATED_DECAY,
    SHORT,
    TEXT,
    TEXT_COVISITATION,
    TEXT_DEPTH,
    USER_SIGNALS,
    Scratch,
    clear,
    collect,
    empty_scratch,
    spread_by_text,
    widened,
)
from learner.ranking.names import FIRST_USER, SIGNALS
from learner.training.learner import Learner
from tests.learner.counted import value_of
from tests.learner.training.small import (
    DIMENSION,
    ITEMS,
    SETTINGS,
    catalogue,
    learner_of,
    log,
)
from upwell.values import UserState

EXAMPLES, STATES = log(500)
RANKING = learner_of(EXAMPLES).ranking
STATE = RANKING.state()
PRIOR = 5.0
SIGNAL = {name: number for number, name in enumerate(SIGNALS[FIRST_USER:][:USER_SIGNALS])}
USERS = sorted(STATES)


def history_of(state: UserState) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    past = past_of(RANKING.events([state.history], create=False))
    return past.history, past.liked


def scratch() -> Scratch:
    return widened(empty_scratch(), RANKING.catalogue.capacity, len(STATE.features.worth))


def collected(user: str, into: Scratch) -> NDArray[np.float32]:
    """(N, signals) of a user alone."""
    collect(STATE, into, *history_of(STATES[user]))
    return into.affinity[:ITEMS, :USER_SIGNALS].copy()


def row_of(table: Neighbours, row: int) -> NDArray[np.float64]:
    return np.array([value_of(table, row, item) for item in range(ITEMS)])


def texts_of(state: CountState, row: int) -> NDArray[np.float64]:
    found = np.zeros(ITEMS)
    near = slice(0, state.text.sizes[row])
    found[state.text.ids[row, near]] = state.text.similarities[row, near]
    return found


def plain(user: str) -> NDArray[np.float64]:
    found = np.zeros((USER_SIGNALS, ITEMS))
    rows, flags = history_of(STATES[user])
    likes = [row for row, liked in zip(rows[:LONG], flags, strict=False) if liked]
    for place, row in enumerate(rows[:SHORT]):
        found[FAR] += FAR_DECAY**place * row_of(STATE.far, row)
        any_pairs = row_of(STATE.pairs_any, row) / (STATE.people[row] + PRIOR)
        found[SIGNAL["affinity_any_10"]] += any_pairs
    for place, row in enumerate(rows[:RECENT_WINDOW]):
        found[SIGNAL["transition_recent"]] += NEAR_DECAY**place * row_of(STATE.recent, row)
    for place, row in enumerate(rows[:TEXT_DEPTH]):
        found[SIGNAL["transition_any_3"]] += 0.5**place * row_of(STATE.near_any, row)
        found[TEXT] += texts_of(STATE, row)
    for row in rows[:1]:
        found[SIGNAL["transition_last"]] += row_of(STATE.last, row)
    for place, row in enumerate(likes):
        pairs = row_of(STATE.pairs, row)
        found[SIGNAL["affinity_50"]] += pairs / (STATE.liked[row] + PRIOR)
        if place < 3:
            found[SIGNAL["transition_3"]] += 0.5**place * row_of(STATE.near, row)
        if place < SHORT:
            found[SIGNAL["affinity_10"]] += pairs / (STATE.liked[row] + PRIOR)
            both = np.sqrt(STATE.liked[row] * np.maximum(STATE.liked[:ITEMS], 1e-9))
            found[COVISITATION] += pairs / both
    return found.T


def test_each_signal_is_the_sum_that_the_rule_says() -> None:
    said = np.zeros(USER_SIGNALS, np.bool_)
    for user in USERS[:8]:
        found = collected(user, scratch())
        np.testing.assert_allclose(found, plain(user), rtol=1e-3, atol=1e-5)
        said |= found.any(axis=0)
    assert said[:TEXT_COVISITATION].all()
    assert not said[RELATED:].any(), "no item of this catalogue names another"


def test_related_items_fade_by_place_and_what_is_related_to_them_shares() -> None:
    items = [
        replace(one, relations=relations)
        for one, relations in zip(
            catalogue(6),
            ((("like", ("i1", "i2")),), (("like", ("i3",)),), (), (), (("series", ("i5",)),), ()),
            strict=True,
        )
    ]
    learner = Learner(replace(SETTINGS, relations="series"), DIMENSION, 1)
    learner.add_items(items)
    state = learner.ranking.state()
    used = widened(empty_scratch(), learner.ranking.catalogue.capacity, len(state.features.worth))
    liked = np.array([True, False, True])
    collect(state, used, np.array([0, 1, 4], np.int32), liked)
    found = used.affinity[:6, RELATED:USER_SIGNALS]
    second = RELATED_DECAY
    expected = np.zeros((6, 4))
    expected[[1, 2], 0] = 1.0  # of i0, the newest that was liked
    expected[3, 3] = 1.0 / 2  # by i1, which two share
    expected[5, [0, 1]] = second  # of i4, whose relation is weighed apart
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_nothing_is_left_of_the_users_before() -> None:
    used = scratch()
    for user in USERS:
        expected = collected(user, scratch())
        np.testing.assert_array_equal(collected(user, used), expected)
        touched = used.touched[: used.used[0]]
        assert len(set(touched.tolist())) == len(touched)
        assert set(np.flatnonzero(expected.any(axis=1)).tolist()) <= set(touched.tolist())
    clear(used)
    assert not used.affinity.any()
    assert used.used[0] == 0


def test_a_user_without_history_is_like_nothing() -> None:
    used = scratch()
    collect(STATE, used, np.zeros(0, np.int32), np.zeros(0, np.bool_))
    assert not used.affinity.any()
    assert not used.taste.any()


def test_covisitation_is_handed_to_those_who_are_nearest_and_to_nobody_twice() -> None:
    used = scratch()
    found = collected(USERS[0], used)
    sources = np.argsort(-found[:, COVISITATION])[:5].astype(np.int32)
    spread_by_text(STATE, used, sources)
    expected = np.zeros(ITEMS)
    for item in range(ITEMS):
        nearest = STATE.text.ids[item, : min(NEAREST, STATE.text.sizes[item])].tolist()
        for source in sources.tolist():
            if source in nearest:
                likeness = texts_of(STATE, item)[source]
                expected[item] += found[source, COVISITATION] * likeness
    given = used.affinity[:ITEMS, TEXT_COVISITATION]
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-6)
    assert expected.any()


def test_room_is_made_without_moving_what_is_there() -> None:
    used = scratch()
    found = collected(USERS[0], used)
    wider = widened(used, 2 * RANKING.catalogue.capacity, len(STATE.features.worth))
    np.testing.assert_array_equal(wider.affinity[:ITEMS, :USER_SIGNALS], found)
    np.testing.assert_array_equal(collected(USERS[1], wider), collected(USERS[1], scratch()))
