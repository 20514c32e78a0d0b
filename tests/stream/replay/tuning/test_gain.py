from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.replay.tuning.gain import gain

BATCHES = st.lists(
    st.tuples(st.integers(0, 50), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30
).filter(lambda rows: sum(row[0] > 0 for row in rows) > 1)


def sums(rows: list[tuple[int, float, float]], which: int) -> NDArray[np.float64]:
    return np.array([(row[0], row[0] * row[which]) for row in rows], dtype=float)


@given(BATCHES)
def test_the_gain_is_within_its_interval_and_turns_round(
    rows: list[tuple[int, float, float]],
) -> None:
    found, back = gain(sums(rows, 1), sums(rows, 2)), gain(sums(rows, 2), sums(rows, 1))
    assert found.low <= found.gain + 1e-12
    assert found.gain - 1e-12 <= found.high
    assert found.gain == pytest.approx(-back.gain)
    assert (found.low, found.high) == pytest.approx((-back.high, -back.low))
    assert found.targets == sum(row[0] for row in rows)


def test_a_gain_everywhere_is_sure_and_one_by_chance_is_not() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(50, 100, 200)
    before = np.stack([counts, counts * 0.1], axis=1)
    chance = before + np.stack([np.zeros(200), rng.normal(0.0, 1.0, 200)], axis=1)
    better = before + np.array([0.0, 0.5])
    assert gain(before, better).sure
    assert not gain(before, before).sure
    assert not gain(before, chance).sure
    assert not gain(better, before).sure


def test_the_interval_holds_the_truth_19_times_of_20() -> None:
    rng = np.random.default_rng(2)
    holds = 0
    for _ in range(400):
        counts = rng.integers(50, 100, 100)
        before = np.stack([counts, counts * 0.1], axis=1)
        after = before + np.stack([np.zeros(100), rng.normal(0.01 * counts, 2.0)], axis=1)
        found = gain(before, after)
        holds += found.low <= 0.01 <= found.high
    assert 0.92 < holds / 400 < 0.98


def test_one_batch_tells_nothing() -> None:
    found = gain(np.array([[10.0, 1.0]]), np.array([[10.0, 2.0]]))
    assert (found.before, found.after, found.sure) == (0.1, 0.2, False)
    assert math.isinf(found.high)
