"""The table of items: events counted whatever the order, and a stamp on whatever changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from learner.fused.items import ItemTable
from tests.learner.toy import DIMENSION, table, vectors
from upwell.errors import ModelError

ITEMS = 6
ROWS = st.lists(st.integers(0, ITEMS - 1), max_size=12)


def rows_of(rows: list[int]) -> NDArray[np.int32]:
    return np.array(rows, np.int32)


@given(st.lists(ROWS, max_size=4))
def test_every_event_counts_repeats_too_however_they_are_cut(batches: list[list[int]]) -> None:
    made, at_once = table(vectors(ITEMS)), table(vectors(ITEMS))
    for batch in batches:
        made.count(rows_of(batch))
    at_once.count(rows_of([row for batch in batches for row in batch]))
    expected = [sum(batch.count(row) for batch in batches) for row in range(ITEMS)]
    assert made.events[:ITEMS].tolist() == at_once.events[:ITEMS].tolist() == expected


@given(ROWS, ROWS)
def test_who_remembers_the_clock_finds_by_the_stamps_what_changed_since(
    counted: list[int], forgotten: list[int]
) -> None:
    made = table(vectors(ITEMS))
    clock = made.clock
    made.count(rows_of(counted))
    made.forget(np.array(forgotten, np.int64))
    changed = np.flatnonzero(made.stamps > clock)
    assert changed.tolist() == sorted({*counted, *forgotten})
    assert made.stamps.max() <= made.clock
    assert not made.events[forgotten].any()


@given(ROWS, st.integers(0, ITEMS))
def test_restored_events_are_those_of_the_first_rows_and_no_others(
    counted: list[int], size: int
) -> None:
    made, other = table(vectors(ITEMS)), table(vectors(ITEMS))
    made.count(rows_of(counted))
    other.count(rows_of([0, ITEMS - 1]))
    other.restore(made.events[:size].copy())
    assert other.events[:size].tolist() == made.events[:size].tolist()
    assert not other.events[size:].any()
    assert other.size == ITEMS


def test_events_may_be_restored_before_there_are_vectors() -> None:
    made = ItemTable(DIMENSION)
    made.restore(np.array([3.0, 1.0], np.float32))
    assert (made.size, made.events[:2].tolist()) == (2, [3.0, 1.0])
    made.refer(vectors(ITEMS), ITEMS, np.arange(ITEMS))
    assert made.events[:ITEMS].tolist() == [3.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_vectors_are_read_where_they_are_and_announced_where_they_are_new() -> None:
    texts = vectors(ITEMS)
    made = ItemTable(DIMENSION)
    made.refer(texts, ITEMS, np.array([1, 4]))
    assert np.flatnonzero(made.announced).tolist() == [1, 4]
    assert made.vectors is texts
    texts[1] = 0.0
    made.refer(texts, ITEMS, np.array([1]))
    assert np.flatnonzero(made.announced).tolist() == [4]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_wrong_vectors_are_refused_and_change_nothing(wrong: float) -> None:
    made = table(vectors(ITEMS))
    bad = vectors(ITEMS + 1)
    bad[ITEMS, 0] = wrong
    for given_ in (bad, bad[:, 1:]):
        with pytest.raises(ModelError, match="encode the catalogue anew"):
            made.refer(given_, ITEMS + 1, np.array([ITEMS]))
    assert (made.size, made.clock) == (ITEMS, table(vectors(ITEMS)).clock)
