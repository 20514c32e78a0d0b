"""Decayed counts and their leaders against sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.counts import popularity
from learner.counts.popularity import COUNT, LEADERS, NEWCOMERS, advance, empty, raise_by, widened

ROWS = 40


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, ROWS - 1), max_size=200))
def test_counts_decay_by_events_and_leaders_are_in_order(events: list[int]) -> None:
    state = widened(empty(), ROWS)
    for row in events:
        advance(state, ROWS, newcomer=False)
        raise_by(state, 0, row, 1.0)
        raise_by(state, COUNT, row, 1.0)
    ages = np.arange(len(events))[::-1]
    for row in set(events):
        expected = sum(
            2.0 ** (-age / 50.0) for age, event in zip(ages, events, strict=True) if event == row
        )
        assert state.values[0, row] / state.scale[0] == pytest.approx(expected)
        assert state.values[COUNT, row] == events.count(row)
    for column in (0, COUNT):
        leaders = state.leaders[column, : state.held[column]]
        assert set(leaders) == set(events)
        assert list(state.values[column, leaders]) == sorted(
            state.values[column, leaders], reverse=True
        )
        assert [state.places[column, row] for row in leaders] == list(range(1, len(leaders) + 1))


def test_leaders_are_bounded_and_the_best() -> None:
    rows = 3 * LEADERS
    state = widened(empty(), rows)
    weights = np.random.default_rng(0).permutation(rows) + 1.0
    for row, weight in enumerate(weights):
        raise_by(state, 0, row, weight)
    assert list(state.leaders[0]) == list(np.argsort(-weights)[:LEADERS])


def test_scaling_back_changes_no_count() -> None:
    state = widened(empty(), 2)
    raise_by(state, 0, 0, 1.0)
    for _ in range(50 * 420):
        advance(state, 2, newcomer=False)
    raise_by(state, 0, 1, 1.0)
    assert state.scale[0] <= 2.0**400
    assert state.values[0, 1] / state.scale[0] == 1.0
    assert state.values[0, 0] / state.scale[0] == pytest.approx(2.0**-420)


def test_arrays_come_back() -> None:
    state, other = widened(empty(), 5), widened(empty(), 5)
    for row in (1, 2, 2, 4):
        raise_by(state, COUNT, row, 1.0)
    popularity.restore(other, popularity.arrays(state, 5))
    for name, before in state._asdict().items():
        assert np.array_equal(before, getattr(other, name))


def test_what_newcomers_do_fades_only_by_their_own_events() -> None:
    state = widened(empty(), 2)
    raise_by(state, NEWCOMERS, 0, 1.0)
    for _ in range(100):
        advance(state, 2, newcomer=False)
    assert state.values[NEWCOMERS, 0] / state.scale[NEWCOMERS] == 1.0
    for _ in range(20):
        advance(state, 2, newcomer=True)
    assert state.values[NEWCOMERS, 0] / state.scale[NEWCOMERS] == pytest.approx(0.5)
