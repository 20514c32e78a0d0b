"""An outage is said when it begins and when it is over, and measured."""

from __future__ import annotations

import logging

import pytest

from upwell.system.outage import Outage


def test_it_is_said_once_each_way_and_again_the_next_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    now = 10.0
    outage = Outage(logging.getLogger("test"), "the broker", lambda: now)
    outage.over()  # there was none
    for _ in range(2):
        assert outage.lasts("refused") == 0.0
        now += 3
        assert outage.lasts("timed out") == 3.0
        outage.over()
        outage.over()
    assert [record.getMessage() for record in caplog.records] == [
        "the broker does not answer (refused): waiting for it",
        "the broker answers again after 3.0 s",
    ] * 2
