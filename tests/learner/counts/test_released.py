"""Counts that were told, in the place of counted ones."""

from __future__ import annotations

import numpy as np

from learner.counts.popularity import COUNT, HALF_LIVES, LIKES
from learner.counts.released import LATELY
from tests.learner.training.small import learner_of, log

ROWS = np.array([3, 9], np.int32)
TOLD = {
    "rows": ROWS,
    "values": np.array([[50.0, 20.0, 30.0], [80.0, 0.0, 9.0]], np.float32),
    "movers": ROWS,
    "moves": np.array([[0.0, 7.0], [0.0, 0.0]], np.float32),
}


def test_nothing_of_what_was_counted_before_is_left() -> None:
    learner = learner_of(log(80)[0])
    learner.take_told(TOLD)
    state = learner.ranking.state()
    count, likes = (state.popularity.values[column] for column in (COUNT, LIKES))
    assert np.array_equal(np.flatnonzero(count), ROWS)
    assert likes[ROWS].tolist() == [50.0, 80.0]
    newcomers = state.popularity.values[len(HALF_LIVES) - 1]
    assert newcomers[ROWS].tolist() == [20.0, 0.0]
    assert state.popularity.values[HALF_LIVES.index(LATELY)][ROWS].tolist() == [30.0, 9.0]
    leaders = state.popularity.leaders[COUNT, : state.popularity.held[COUNT]]
    assert leaders.tolist() == [9, 3]


def test_tables_of_before_likes_of_late_were_told_still_count() -> None:
    learner = learner_of([])
    learner.take_told(TOLD | {"values": TOLD["values"][:, :2]})
    popularity = learner.ranking.state().popularity
    assert popularity.values[LIKES][ROWS].tolist() == [50.0, 80.0]
    assert not popularity.values[HALF_LIVES.index(LATELY)].any()


def test_moves_stand_in_the_row_of_where_they_began() -> None:
    learner = learner_of([])
    learner.take_told(TOLD)
    table = learner.ranking.state().last
    assert table.sizes.sum() == 1
    assert (table.ids[3, 0], table.values[3, 0]) == (9, 7.0)


def test_to_be_told_twice_changes_nothing() -> None:
    learner = learner_of([])
    learner.take_told(TOLD)
    once = learner.arrays()
    learner.take_told(TOLD)
    for name, array in learner.arrays().items():
        assert np.array_equal(array, once[name]), name
