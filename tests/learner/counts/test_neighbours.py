"""The capped table against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.counts.neighbours import NeighbourTable, add, advance
from tests.learner.counted import value_of

PAIRS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 30), st.floats(0.1, 2.0)), max_size=120
)


def table(cap: int, half_life: float = np.inf) -> NeighbourTable:
    made = NeighbourTable(cap, half_life)
    made.grow(6)
    return made


@settings(deadline=None)  # the first call compiles
@given(PAIRS)
def test_a_table_with_room_is_a_dictionary(pairs: list[tuple[int, int, float]]) -> None:
    state, plain = table(64).state, dict[tuple[int, int], float]()
    for row, column, weight in pairs:
        add(state, row, column, weight)
        plain[row, column] = plain.get((row, column), 0.0) + weight
    assert state.evicted[0] == 0
    for (row, column), value in plain.items():
        assert value_of(state, row, column) == pytest.approx(value, rel=1e-5)


@settings(deadline=None)  # the first call compiles
@given(PAIRS)
def test_a_full_row_stays_at_its_cap_and_counts_what_left(
    pairs: list[tuple[int, int, float]],
) -> None:
    state = table(4).state
    fresh = 0
    for row, column, weight in pairs:
        fresh += value_of(state, row, column) == 0.0
        add(state, row, column, weight)
        assert value_of(state, row, column) > 0.0
    assert state.sizes.max() <= 4
    for row, size in enumerate(state.sizes):
        assert np.all(np.diff(state.values[row, :size]) <= 0.0)
    assert state.sizes.sum() + state.evicted[0] == fresh


def test_the_smallest_makes_room() -> None:
    state = table(2).state
    for column, weight in ((1, 5.0), (2, 1.0), (3, 2.0)):
        add(state, 0, column, weight)
    assert [value_of(state, 0, column) for column in (1, 2, 3)] == [5.0, 0.0, 2.0]


def test_of_equals_the_one_that_rose_longest_ago_makes_room() -> None:
    state = table(3).state
    for column in (1, 2, 3, 2, 4):
        add(state, 0, column, 1.0)
    assert state.ids[0].tolist() == [2, 4, 3]
    assert state.values[0].tolist() == [2.0, 1.0, 1.0]


def test_entries_halve_by_events_also_past_the_point_where_all_is_scaled_back() -> None:
    state = table(4, half_life=2.0).state
    add(state, 0, 1, 2.0**50)
    for _ in range(90):
        advance(state, 6)
    assert value_of(state, 0, 1) == pytest.approx(2.0**5, rel=1e-4)
    assert state.step[0] <= 2.0**40


def test_arrays_come_back_also_with_a_smaller_cap() -> None:
    full, other, small = table(8), table(8), table(2)
    for column in range(5):
        add(full.state, 3, column, 1.0 + column)
    other.restore(full.arrays(6))
    small.restore(full.arrays(6))
    assert [value_of(other.state, 3, column) for column in range(6)] == [
        1.0,
        2.0,
        3.0,
        4.0,
        5.0,
        0.0,
    ]
    assert [value_of(small.state, 3, column) for column in range(5)] == [0.0, 0.0, 0.0, 4.0, 5.0]
    assert small.state.sizes[3] == 2
