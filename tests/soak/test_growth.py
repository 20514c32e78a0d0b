"""A growth that is there is found, and what is none is not taken for one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.growth import LEAST_MINUTES, judged, slope_per_hour

HOUR = [float(minute) for minute in range(61)]


@given(st.floats(-100, 100), st.floats(-1e3, 1e3))
def test_a_line_has_its_slope(per_hour: float, start: float) -> None:
    values = [start + per_hour * minute / 60 for minute in HOUR]
    assert math.isclose(slope_per_hour(HOUR, values), per_hour, abs_tol=1e-6)


def test_a_saw_is_no_growth_and_a_saw_on_a_slope_is_one() -> None:
    saw = [50.0 + minute % 7 for minute in range(61)]
    assert abs(slope_per_hour(HOUR, saw)) < 1.0
    rising = [one + minute / 6 for minute, one in enumerate(saw)]
    assert slope_per_hour(HOUR, rising) == pytest.approx(10.0, abs=1.0)


def test_few_outliers_change_nothing() -> None:
    values = [100.0] * 61
    values[7] = values[30] = values[59] = 5_000.0
    assert slope_per_hour(HOUR, values) == 0.0


@pytest.mark.parametrize(("per_hour", "holds"), [(1.9, True), (2.1, False)])
def test_the_bound_decides_and_the_first_minutes_do_not_count(per_hour: float, holds: bool) -> None:
    samples = [
        {"minute": minute, "heap": 500.0 * min(minute, 10) + per_hour * minute / 60}
        for minute in HOUR
    ]
    found = judged(samples, {"heap": 2.0}, settle=10)["heap"]
    assert found.holds is holds
    assert found.per_hour == pytest.approx(per_hour)


def test_a_short_run_is_not_judged() -> None:
    minutes = [minute for minute in HOUR if minute < LEAST_MINUTES]
    samples = [{"minute": minute, "heap": minute} for minute in minutes]
    assert judged(samples, {"heap": 0.0}, settle=0)["heap"].holds is None
    with pytest.raises(ValueError, match="no sample after 30"):
        judged(samples, {"heap": 0.0}, settle=30)
