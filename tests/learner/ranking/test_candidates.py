"""The best few of many, kept in a heap."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.candidates import keep_best


def kept(values: list[float], most: int) -> list[tuple[float, int]]:
    best, ids, held = np.zeros(most, np.float32), np.full(most, -1, np.int32), 0
    for item, value in enumerate(values):
        held = keep_best(best, ids, held, value, item)
    assert held == min(most, len(values))
    return sorted(zip(best[:held].tolist(), ids[:held].tolist(), strict=True))


@given(st.lists(st.integers(0, 1_000), unique=True, max_size=40), st.integers(1, 12))
def test_the_best_are_kept_whatever_their_order(values: list[int], most: int) -> None:
    found = kept([float(value) for value in values], most)
    assert [value for value, _ in found] == sorted(values)[-most:]
    assert all(values[item] == value for value, item in found)


@given(st.integers(1, 6), st.integers(0, 12))
def test_of_equals_the_first_stay(most: int, more: int) -> None:
    found = kept([1.0] * (most + more), most)
    assert sorted(item for _, item in found) == list(range(most))
