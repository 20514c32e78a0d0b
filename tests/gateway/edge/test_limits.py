"""Buckets: a burst, then the rate, each caller for itself."""

from __future__ import annotations

import pytest

from gateway.edge.limits import BURST_SECONDS, CALLERS, Buckets


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(8.0, clock)
    burst = int(8 * BURST_SECONDS)
    assert [buckets.take(b"a") for _ in range(burst)] == [0.0] * burst
    assert buckets.take(b"a") == pytest.approx(0.125)
    assert buckets.take(b"b") == 0.0
    clock.now += 0.125
    assert buckets.take(b"a") == 0.0
    assert buckets.take(b"a") > 0.0
    clock.now += 1_000.0
    assert [buckets.take(b"a") for _ in range(burst + 1)].count(0.0) == burst


def test_a_refused_request_costs_nothing() -> None:
    clock = Clock()
    buckets = Buckets(0.5, clock)
    assert buckets.take(b"a") == 0.0
    for _ in range(100):
        assert buckets.take(b"a") == pytest.approx(2.0)
    clock.now += 2.0
    assert buckets.take(b"a") == 0.0


def test_zero_is_off() -> None:
    buckets = Buckets(0.0, Clock())
    assert not any(buckets.take(b"a") for _ in range(10_000))


def test_callers_that_never_come_back_take_no_more_room() -> None:
    buckets = Buckets(1.0, Clock())
    for number in range(CALLERS + 500):
        buckets.take(str(number).encode())
    assert len(buckets._left) == CALLERS
