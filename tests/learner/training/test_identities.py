"""Identities as they are trained, against row-wise Adagrad by hand; what never moved is nowhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from learner.training.identities import RATE, Identities

ROWS, WIDTH = 6, 3
GRADIENTS = arrays(np.float32, (ROWS, WIDTH), elements=st.sampled_from([-2.0, -0.5, 0.0, 0.0, 1.0]))
STEPS = st.lists(GRADIENTS, max_size=5)


def trained(steps: list[NDArray[np.float32]]) -> Identities:
    made = Identities(WIDTH)
    made.grow(ROWS)
    for gradients in steps:
        made.step(np.arange(ROWS), gradients)
    return made


@given(STEPS)
def test_a_step_is_adagrads_with_one_rate_a_row(steps: list[NDArray[np.float32]]) -> None:
    made, values, squares = trained(steps), np.zeros((ROWS, WIDTH)), np.zeros(ROWS)
    for gradients in steps:
        for row in range(ROWS):
            squares[row] += np.mean(gradients[row] ** 2)
            if gradients[row].any():
                values[row] -= RATE * gradients[row] / np.sqrt(squares[row])
    np.testing.assert_allclose(made.values, values, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(made.squares, squares, rtol=1e-5)


@given(STEPS, STEPS)
def test_restored_ones_go_on_like_the_first_and_hold_only_rows_that_moved(
    steps: list[NDArray[np.float32]], more: list[NDArray[np.float32]]
) -> None:
    one, other = trained(steps), trained(more)
    stored = one.arrays()
    moved = [row for row in range(ROWS) if any(gradients[row].any() for gradients in steps)]
    assert stored["rows"].tolist() == moved
    other.restore(stored)
    for made in (one, other):
        for gradients in more:
            made.step(np.arange(ROWS), gradients)
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.squares, other.squares)


@given(STEPS, st.sets(st.integers(0, ROWS + 3)))
def test_forgotten_rows_were_never_trained_and_the_others_stay(
    steps: list[NDArray[np.float32]], gone: set[int]
) -> None:
    made, kept = trained(steps), trained(steps)
    made.forget(np.array(sorted(gone), np.int64))
    for row in range(ROWS):
        if row in gone:
            assert (made.squares[row], made.values[row].any()) == (0, False)
        else:
            np.testing.assert_array_equal(made.values[row], kept.values[row])
            assert made.squares[row] == kept.squares[row]


def test_other_values_keep_the_rates_that_are_finite() -> None:
    made = trained([np.ones((ROWS, WIDTH), np.float32)])
    made.squares[:2] = np.nan, np.inf
    made.begin_anew(np.full((2, WIDTH), 0.5, np.float16))
    assert made.values[:2].tolist() == [[0.5] * WIDTH] * 2
    assert not made.values[2:].any()
    assert made.squares.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]


def test_growing_moves_nothing() -> None:
    made = trained([np.ones((ROWS, WIDTH), np.float32)])
    before = made.values.copy()
    made.grow(50)
    np.testing.assert_array_equal(made.values[:ROWS], before)
    assert not made.values[ROWS:].any()
    assert not made.squares[ROWS:].any()
