"""Sparse tables: sums, differences and decay as those of dense ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.counts.neighbours import NeighbourTable
from learner.federated.tables import Table, empty_table, read_table, summed, table_arrays

SIZE = 5
ENTRIES = st.dictionaries(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), st.integers(1, 9), max_size=12
)


def table(entries: dict[tuple[int, int], int]) -> Table:
    keys = sorted((row << 32) + column for row, column in entries)
    values = [float(entries[key >> 32, key & 0xFFFFFFFF]) for key in keys]
    return Table(np.array(keys, np.int64), np.array(values, np.float64))


def dense(of: Table) -> NDArray[np.float64]:
    found = np.zeros((SIZE, SIZE))
    found[of.rows, of.columns] = of.values
    return found


@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_a_sum_is_that_of_the_entries(many: list[dict[tuple[int, int], int]]) -> None:
    tables = [table(one) for one in many]
    np.testing.assert_allclose(dense(summed(tables)), sum(dense(one) for one in tables))
    np.testing.assert_allclose(
        dense(summed(tables, len(tables), 4.0)), sum(np.minimum(dense(one), 4) for one in tables)
    )


@given(ENTRIES, ENTRIES)
def test_what_came_to_it(
    before: dict[tuple[int, int], int], more: dict[tuple[int, int], int]
) -> None:
    both = summed([table(before), table(more)])
    np.testing.assert_allclose(dense(both.minus(table(before))), dense(table(more)))
    np.testing.assert_allclose(dense(both.decayed(0.5)), dense(both) / 2)


@given(ENTRIES, st.integers(1, 3))
def test_a_learners_table_takes_it_and_gives_it_back(
    entries: dict[tuple[int, int], int], cap: int
) -> None:
    capped = table(entries).capped(cap)
    assert (np.bincount(capped.rows, minlength=SIZE) <= cap).all()
    for row in range(SIZE):
        best = sorted(dense(table(entries))[row])[::-1][:cap]
        assert sorted(dense(capped)[row])[::-1][:cap] == best
    held = NeighbourTable(cap, np.inf)
    held.grow(SIZE)
    held.restore(table_arrays(capped, SIZE))
    np.testing.assert_allclose(dense(read_table(held.arrays(SIZE))), dense(capped))


@given(ENTRIES)
def test_other_places(entries: dict[tuple[int, int], int]) -> None:
    places = np.array([3, -1, 0, 4, 1])
    found, own = dense(table(entries).placed(places)), dense(table(entries))
    kept = np.flatnonzero(places >= 0)
    np.testing.assert_allclose(found[np.ix_(places[kept], places[kept])], own[np.ix_(kept, kept)])
    assert found.sum() == own[np.ix_(kept, kept)].sum()


def test_nothing_is_nothing() -> None:
    assert len(summed([empty_table(), empty_table()]).keys) == 0
    assert len(empty_table().capped(3).keys) == 0
    assert empty_table().at(np.array([1])).tolist() == [0.0]


@given(ENTRIES)
def test_some_of_another(entries: dict[tuple[int, int], int]) -> None:
    one = table(entries)
    some = one.rows == 0
    assert dense(empty_table().joined(one, some)).sum() == one.values[some].sum()
