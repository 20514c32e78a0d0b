"""Places by value, against a plain sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.order import best_first, keep_best

floats = st.floats(width=32, allow_nan=False)
few = st.sampled_from([-np.inf, -2.0, -0.0, 0.0, 1e-45, 1.0, np.inf])


@given(st.lists(floats | few, max_size=60))
def test_the_highest_come_first_and_the_lowest_are_behind(given_values: list[float]) -> None:
    values = np.array(given_values, np.float32)
    order, above = best_first(values)
    assert sorted(order) == list(range(len(values)))
    assert list(values[order]) == sorted(values, reverse=True)
    assert above == (values > values.min(initial=np.inf)).sum()


def test_many_of_all_sizes_and_both_signs_come_in_order() -> None:
    draw = np.random.default_rng(3)
    values = (draw.normal(size=700) * 10.0 ** draw.integers(-30, 30, 700)).astype(np.float32)
    values[::7] = values[3::7]  # equals
    values[1:400:4] = 1.0 + np.arange(100)[::-1] * np.float32(2.0**-23)  # the next ones to 1
    order, above = best_first(values)
    assert list(values[order]) == sorted(values, reverse=True)
    assert above == 699


@given(st.lists(floats, min_size=1, max_size=20), st.integers(1, 5))
def test_what_is_no_number_is_among_the_lowest(given_values: list[float], spoilt: int) -> None:
    values = np.array([*given_values, *[np.nan] * spoilt], np.float32)
    order, above = best_first(values)
    assert sorted(order) == list(range(len(values)))
    assert not np.isnan(values[order[:above]]).any()
    assert above == (values[:-spoilt] > values[:-spoilt].min()).sum()


def test_nothing_has_no_order() -> None:
    order, above = best_first(np.zeros(0, np.float32))
    assert (list(order), above) == ([], 0)
    assert best_first(np.full(3, np.nan, np.float32))[1] == 0


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
