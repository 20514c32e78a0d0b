"""Logistic regression, an example at a time."""

from __future__ import annotations

import numpy as np
import pytest

from learner.desk.heads import Head, grown_rows, softmax


def test_shares_sum_to_one_however_large_the_scores() -> None:
    np.testing.assert_allclose(softmax(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0.0])


def test_rows_are_added_and_what_stood_there_stays() -> None:
    array = np.ones((2, 3), np.float32)
    assert grown_rows(array, 2) is array
    grown = grown_rows(array, 3, 7.0)
    assert grown.shape == (4, 3)
    np.testing.assert_array_equal(grown[:2], 1.0)
    np.testing.assert_array_equal(grown[2:], 7.0)


@pytest.mark.parametrize("sparse", [False, True])
def test_it_separates_what_can_be_separated(sparse: bool) -> None:
    head = Head(4)
    head.grow(2)
    for step in range(60):
        right = step % 2
        columns = np.array([right, 3], np.int64) if sparse else None
        values = 0.7 if sparse else np.eye(4, dtype=np.float32)[right]
        head.learn(head.scores(2, values, columns), right, values, columns)
    for right in (0, 1):
        columns = np.array([right, 3], np.int64) if sparse else None
        values = 0.7 if sparse else np.eye(4, dtype=np.float32)[right]
        assert softmax(head.scores(2, values, columns))[right] > 0.8


def test_of_columns_it_is_as_of_the_whole_vector() -> None:
    columns = np.array([1, 4], np.int64)
    whole = np.zeros(6, np.float32)
    whole[columns] = 0.5
    one, other = Head(6), Head(6)
    for head in (one, other):
        head.grow(3)
    for right in (0, 2, 1, 0):
        one.learn(one.scores(3, 0.5, columns), right, 0.5, columns)
        other.learn(other.scores(3, whole, None), right, whole, None)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-6)
