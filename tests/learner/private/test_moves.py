"""Moves between items that many met: how far a user moves them, and what is told."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.private.moves import DECAY, ITEMS, WINDOW, Moves
from learner.private.plan import Plan

PLAN = Plan(epsilon=800.0, delta=1e-3, events=12, epochs=2, first=10)


@given(st.lists(st.integers(0, 20), unique=True, max_size=PLAN.events))
def test_no_user_adds_more_than_the_noise_is_made_for(rows: list[int]) -> None:
    moves = Moves()
    moves.know(range(15))
    for place, row in enumerate(rows):
        moves.count(row, rows[:place][::-1])
    length = math.sqrt(PLAN.events * sum(DECAY ** (2 * place) for place in range(WINDOW)))
    assert np.linalg.norm(moves.arrays()["sums"]) <= length + 1e-9


def test_items_that_are_not_known_count_nowhere() -> None:
    moves = Moves()
    moves.know([4, 7])
    moves.count(4, [9])
    moves.count(9, [4])
    moves.count(4, [4])
    assert not moves.arrays()["sums"].any()


def test_what_many_did_is_told_from_the_earlier_to_the_later() -> None:
    moves = Moves()
    moves.know([4, 7, 2])
    for _ in range(400):
        moves.count(7, [4, 2])
    told = moves.tell(PLAN, bytes(32), 0, 0)
    assert told.shape == (3, 3)
    assert abs(told[0, 1] - 400.0) < 20.0
    assert abs(told[2, 1] - 200.0) < 20.0


def test_no_more_items_are_known_than_there_is_room_for() -> None:
    moves = Moves()
    moves.know(range(2 * ITEMS))
    assert moves.rows == list(range(ITEMS))
    moves.know([9_999])
    assert len(moves.rows) == ITEMS


def test_it_goes_on_after_a_checkpoint() -> None:
    moves, again = Moves(), Moves()
    moves.know([4, 7])
    moves.count(7, [4])
    again.restore(moves.arrays())
    again.count(7, [4])
    assert again.arrays()["sums"].max() == 2.0
