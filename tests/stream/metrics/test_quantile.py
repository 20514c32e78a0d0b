"""Quantiles of what came in between two looks at a histogram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.metrics.histogram import Histogram
from stream.metrics.quantile import between, count_of, joined, quantile

BOUNDS = (1.0, 2.0, 4.0, 8.0)
VALUES = st.lists(st.floats(0.01, 7.9), min_size=1, max_size=50)


def seen(*values: float) -> dict[str, object]:
    histogram = Histogram(BOUNDS)
    for value in values:
        histogram.observe(value)
    return histogram.report()


def test_without_anything_there_is_no_quantile() -> None:
    assert quantile(between(None, seen()), 0.5) is None
    assert quantile({}, 0.5) is None


def test_within_a_bucket_values_are_spread_evenly() -> None:
    found = between(None, seen(3.0, 3.0, 3.0, 3.0))
    assert quantile(found, 0.5) == pytest.approx(3.0)  # halfway from 2 to 4
    assert quantile(found, 1.0) == pytest.approx(4.0)


def test_what_lies_above_the_last_bound_is_told_as_that() -> None:
    assert quantile(between(None, seen(100.0)), 0.99) == 8.0


@given(VALUES, st.sampled_from([0.0, 0.25, 0.5, 0.99, 1.0]))
def test_it_is_never_further_off_than_the_bucket_is_wide(values: list[float], share: float) -> None:
    found = quantile(between(None, seen(*values)), share)
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    assert found is not None
    upper = min(bound for bound in BOUNDS if exact <= bound)
    lower = max([0.0, *(bound for bound in BOUNDS if bound < exact)])
    assert lower - 1e-9 <= found <= upper + 1e-9


@given(VALUES, VALUES)
def test_only_what_came_since_counts(before: list[float], since: list[float]) -> None:
    histogram = Histogram(BOUNDS)
    for value in before:
        histogram.observe(value)
    earlier = histogram.report()
    for value in since:
        histogram.observe(value)
    assert between(earlier, histogram.report()) == between(None, seen(*since))


def test_a_worker_that_began_anew_counts_from_its_beginning() -> None:
    assert between(seen(1.0, 1.0, 3.0), seen(3.0)) == seen(3.0)["buckets"]


@given(VALUES, VALUES)
def test_several_workers_are_as_one(one: list[float], other: list[float]) -> None:
    both = joined([between(None, seen(*one)), between(None, seen(*other))])
    assert both == between(None, seen(*one, *other))
    assert count_of(both) == len(one) + len(other)
