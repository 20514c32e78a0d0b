"""Windows as training sees them: targets against the rule, and what is drawn keeps each event whole
and in its place.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.events import KINDS
from learner.training.buffer import Windows
from learner.training.windows import targets_of, thinned, view
from upwell.values import LIKED_RATING, POSITIVE_KINDS

ITEMS = 6
ANNOUNCED = np.array([True, True, False, True, True, False])
DISLIKED = 0.3
RATINGS = st.sampled_from([np.nan, 1.0, 3.0, 3.5, 5.0])
EVENTS = st.tuples(st.integers(0, ITEMS - 1), st.sampled_from(KINDS), RATINGS)
WINDOWS = st.lists(
    st.tuples(st.lists(EVENTS, min_size=1, max_size=12), st.booleans()), min_size=1, max_size=4
)
Given = list[tuple[list[tuple[int, str, float]], bool]]
Event = tuple[int, int, float, int]


def windows(given_: Given) -> Windows:
    """Events a millisecond apart, from 1 on: no two are alike."""
    made = Windows.zeros(len(given_), 2)
    made.rows[:] = -1
    for number, (events, first) in enumerate(given_):
        made.lengths[number], made.first[number] = len(events), first
        for place, (row, kind, rating) in enumerate(events):
            made.rows[number, place], made.kinds[number, place] = row, KINDS.index(kind)
            made.ratings[number, place], made.ts[number, place] = rating, place + 1
    return made


def events_of(made: Windows, number: int) -> list[Event]:
    count = int(made.lengths[number])
    columns = (made.rows, made.kinds, np.nan_to_num(made.ratings, nan=-1.0), made.ts)
    return list(zip(*(one[number, :count].tolist() for one in columns), strict=True))


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def weight(row: int, kind: str, rating: float) -> float:
    liked = kind in POSITIVE_KINDS if np.isnan(rating) else rating >= LIKED_RATING
    return (1.0 if liked else DISLIKED) if ANNOUNCED[row] else 0.0


@given(WINDOWS)
def test_targets_are_the_events_on_announced_items_that_something_came_before(
    given_: Given,
) -> None:
    found = targets_of(windows(given_), ANNOUNCED, DISLIKED, 10_000, rng())
    expected = [
        (number, place, event[0], pytest.approx(weight(*event)))
        for number, (events, first) in enumerate(given_)
        for place, event in enumerate(events)
        if weight(*event) > 0 and (place > 0 or first)
    ]
    columns = (found.window, found.place, found.rows, found.weights)
    assert list(zip(*(one.tolist() for one in columns), strict=True)) == expected
    likes = targets_of(windows(given_), ANNOUNCED, 0.0, 10_000, rng())
    assert len(likes.rows) == (found.weights == 1.0).sum()


@given(WINDOWS, st.integers(0, 12), st.integers(0, 99))
def test_of_too_many_so_many_are_drawn_in_order(given_: Given, most: int, seed: int) -> None:
    made = windows(given_)
    every = targets_of(made, ANNOUNCED, DISLIKED, 10_000, rng())
    found = targets_of(made, ANNOUNCED, DISLIKED, most, rng(seed))
    assert len(found.rows) == min(most, len(every.rows))
    places = list(zip(found.window.tolist(), found.place.tolist(), strict=True))
    assert places == sorted(set(places))
    assert set(places) <= set(zip(every.window.tolist(), every.place.tolist(), strict=True))


@given(WINDOWS, st.floats(0.0, 1.0), st.integers(0, 99))
def test_a_thinned_window_is_some_of_its_events_in_order_with_the_newest(
    given_: Given, most: float, seed: int
) -> None:
    made = windows(given_)
    found = thinned(made, most, rng(seed))
    for number in range(len(made)):
        before, after = events_of(made, number), events_of(found, number)
        assert after[-1] == before[-1]
        assert [one for one in before if one in after] == after
        assert (found.rows[number, len(after) :] == -1).all()
        assert most > 0.0 or after == before


@given(WINDOWS, st.integers(0, 99))
def test_a_view_has_some_events_of_its_window_each_whole_and_none_twice(
    given_: Given, seed: int
) -> None:
    made = windows(given_)
    found = view(made, rng(seed))
    for number in range(len(made)):
        before, after = events_of(made, number), events_of(found, number)
        assert 0 < len(after) <= len(before)
        assert Counter(after) <= Counter(before)
    np.testing.assert_array_equal(found.users, made.users)


def test_views_crop_mask_and_reorder_and_leave_what_they_were_given() -> None:
    long = windows([([(n % ITEMS, "view", np.nan) for n in range(30)], True)])
    kept = replace(long, rows=long.rows.copy(), ts=long.ts.copy())
    seen = [[one[-1] for one in events_of(view(long, rng(seed)), 0)] for seed in range(60)]
    moved = [one for one in seen if one != sorted(one)]
    whole = [one for one in seen if one == list(range(one[0], one[0] + len(one)))]
    gaps = [one for one in seen if one == sorted(one) and one not in whole]
    assert min(len(moved), len(whole), len(gaps)) > 5
    assert all(len(one) == 30 for one in moved)
    np.testing.assert_array_equal(long.rows, kept.rows)
    np.testing.assert_array_equal(long.ts, kept.ts)
