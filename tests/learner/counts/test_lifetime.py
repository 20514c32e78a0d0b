"""How long interest lasts, beside a twin in plain Python; and what a list makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.lifetime import (
    KEPT_TAKES,
    empty_lifetime,
    learn_lifetime,
    read_lifetime,
    typical_hours,
)

HOUR = 3_600_000
T0 = 1_700_000_000_000
SINCE = np.array([T0, T0 - HOUR, -1, T0 - 1_000 * HOUR, T0 + HOUR], np.int64)


def read(lifetime: np.ndarray, at: int) -> list[float]:
    out = np.full(len(SINCE), 9.0, np.float32)
    read_lifetime(lifetime, SINCE, at, np.arange(len(SINCE), dtype=np.int32), out)
    return [float(one) for one in out]


@given(st.lists(st.integers(-HOUR, 10_000 * HOUR), max_size=40))
def test_the_typical_age_is_the_geometric_mean_of_those_at_which_items_were_taken(
    ages: list[int],
) -> None:
    lifetime = empty_lifetime()
    for age in ages:
        learn_lifetime(lifetime, T0, T0 + age)
    logs = [math.log1p(max(age, 0) / 1_000) for age in ages] or [math.log1p(86_400)]
    mean = math.expm1(sum(logs) / len(logs)) / 3_600
    assert typical_hours(lifetime) == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert lifetime[1] == len(ages)


def test_what_is_not_known_teaches_nothing() -> None:
    lifetime = empty_lifetime()
    learn_lifetime(lifetime, -1, T0)
    learn_lifetime(lifetime, T0, 0)
    assert lifetime.tolist() == empty_lifetime().tolist()


def test_the_old_fade_and_one_wrong_clock_hardly_counts() -> None:
    lifetime = empty_lifetime()
    for _ in range(3_000):
        learn_lifetime(lifetime, T0, T0 + 100 * HOUR)
    for _ in range(5 * int(KEPT_TAKES)):
        learn_lifetime(lifetime, T0, T0 + HOUR)
    assert typical_hours(lifetime) == pytest.approx(1.0, rel=0.05)
    learn_lifetime(lifetime, T0, 1 << 53)  # the year 287,396
    assert typical_hours(lifetime) == pytest.approx(1.0, rel=0.07)


def test_yesterday_is_far_where_hours_are_typical_and_near_where_years_are() -> None:
    short, long = empty_lifetime(), empty_lifetime()
    learn_lifetime(short, T0, T0 + 2 * HOUR)
    learn_lifetime(long, T0, T0 + 20_000 * HOUR)
    day, year = 24 * HOUR, 8_760 * HOUR
    for lifetime, typical in ((short, 2.0), (long, 20_000.0)):
        for age in (0, HOUR, day, year):
            expected = -math.log1p(age / HOUR / typical)
            assert read(lifetime, T0 + age)[0] == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert read(short, T0 + day)[0] < -2.0
    assert read(long, T0 + day)[0] > -0.01


def test_what_comes_later_is_new_and_no_time_says_nothing() -> None:
    assert read(empty_lifetime(), 0) == [0.0] * len(SINCE)
    found = read(empty_lifetime(), T0)
    assert (found[0], found[2], found[4]) == (0.0, 0.0, 0.0)
    assert found[3] < found[1] < 0.0
