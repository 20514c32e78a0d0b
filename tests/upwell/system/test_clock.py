"""UTC milliseconds, as the broker stamps them."""

from __future__ import annotations

import time

import upwell.system.clock as clock


def test_it_lies_between_two_looks_at_the_machine_s_clock() -> None:
    before = time.time_ns() // 1_000_000
    now = clock.now_ms()
    assert before <= now <= time.time_ns() // 1_000_000
    assert type(now) is int
