"""Codes: whole numbers and a scale, whose products are about those of the vectors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.catalogue.kernel import lent
from learner.catalogue.nearest.codes import SLACK, Codes, code, common, no_codes, prefetch


def unit(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def coded(of: NDArray[np.float32]) -> Codes:
    codes = Codes(np.zeros(of.shape, np.int8), np.zeros(len(of), np.float32))
    for row, vector in enumerate(of):
        codes.scales[row] = code(vector, codes.numbers[row])
    return codes


def test_numbers_times_their_scale_are_the_vector_to_half_a_scale() -> None:
    of = unit(50, 384)
    numbers, scales = coded(of)
    assert np.abs(numbers).max() == 127
    off = np.abs(numbers * scales[:, None] - of)
    assert np.all(off <= 0.5001 * scales[:, None])


@pytest.mark.parametrize("dimension", [1, 8, 24, 384, 1_000])
def test_a_product_of_codes_is_that_of_their_numbers(dimension: int) -> None:
    numbers = np.random.default_rng(1).integers(-127, 128, (20, dimension)).astype(np.int8)
    numbers[0] = numbers[1] = -127  # the largest product of all
    expected = numbers.astype(np.int64) @ numbers[0].astype(np.int64)
    assert [common(numbers, row, numbers[0]) for row in range(20)] == expected.tolist()


@pytest.mark.parametrize("dimension", [24, 384])
def test_it_differs_from_the_product_of_the_vectors_by_less_than_the_slack(dimension: int) -> None:
    of = unit(300, dimension)
    numbers, scales = coded(of)
    about = (numbers.astype(np.int32) @ numbers.T.astype(np.int32)) * np.outer(scales, scales)
    slack = SLACK * np.maximum.outer(scales, scales)
    assert np.mean(np.abs(about - of @ of.T) > slack) < 0.005


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf])
def test_what_has_no_finite_length_is_coded_as_nothing(value: float) -> None:
    into = np.ones(8, np.int8)
    assert code(np.full(8, value, np.float32), into) == 0.0
    assert not into.any()


@lent
def _fetched(numbers: NDArray[np.int8], row: int) -> int:
    prefetch(numbers, row)
    return row


def test_a_prefetch_changes_nothing_and_reaches_past_the_end_without_harm() -> None:
    codes = no_codes(384)
    assert codes.numbers.shape == (0, 384)
    assert _fetched(codes.numbers, 10**6) == 10**6
