"""Places by value, against a plain sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.order import best_first

floats = st.floats(width=32, allow_nan=False)
few = st.sampled_from([-np.inf, -2.0, -0.0, 0.0, 1e-45, 1.0, np.inf])


@given(st.lists(floats | few, max_size=60))
def test_the_highest_come_first_and_the_lowest_are_behind(given_values: list[float]) -> None:
    values = np.array(given_values, np.float32)
    order, above = best_first(values)
    assert sorted(order) == list(range(len(values)))
    assert list(values[order]) == sorted(values, reverse=True)
    assert above == (values > values.min(initial=np.inf)).sum()


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
