from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.fairness.calibration import category_mix, divergence

mixes = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9).map(
    lambda parts: np.array(parts) / sum(parts)
)


def test_an_item_is_spread_over_its_categories_and_weighs_what_it_weighs() -> None:
    codes = np.array([[0, 2, -1], [2, -1, -1], [-1, -1, -1]], np.int32)
    assert category_mix(codes, np.array([1.0, 3.0, 9.0])) == pytest.approx([0.125, 0.0, 0.875])


def test_without_a_category_there_is_no_mix() -> None:
    assert not category_mix(np.full((2, 3), -1, np.int32), np.ones(2)).any()
    assert not category_mix(np.zeros((0, 3), np.int32), np.ones(0)).any()


@given(mixes, mixes)
def test_it_is_a_distance_from_nothing_to_one(p: np.ndarray, q: np.ndarray) -> None:
    assert divergence(p, p) == pytest.approx(0.0, abs=1e-12)
    assert divergence(p, q) == pytest.approx(divergence(q, p))
    assert -1e-12 <= divergence(p, q) <= 1.0 + 1e-12


def test_what_shares_nothing_is_one_apart() -> None:
    assert divergence(np.array([1.0]), np.array([0.0, 0.5, 0.5])) == pytest.approx(1.0)
    half = divergence(np.array([1.0]), np.array([0.5, 0.5]))
    m = np.array([0.75, 0.25])
    assert half == pytest.approx(
        0.5 * np.log2(1 / m[0]) + 0.25 * (np.log2(0.5 / m[0]) + np.log2(0.5 / m[1]))
    )
