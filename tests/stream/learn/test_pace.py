"""What there is time for falls with what waits, never to nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer
from kafka.errors import KafkaConnectionError

from stream.broker.away import Patience
from stream.learn.pace import LEAST_SHARE, REST_SECONDS, TIMELY, Pace


class Behind:
    """A consumer of partitions that are so many records behind, None before the first answer."""

    def __init__(self, *behind: int | None) -> None:
        self._behind = behind

    def assignment(self) -> set[int]:
        return set(range(len(self._behind)))

    def position(self, partition: int) -> int:
        return 7

    def highwater(self, partition: int) -> int | None:
        behind = self._behind[partition]
        return None if behind is None else 7 + behind


def behind(*records: int | None) -> KafkaConsumer:
    return cast(Any, Behind(*records))


def test_who_is_not_behind_takes_all() -> None:
    assert Pace().look(behind(0, None), 16, 5_000) == 1.0
    assert Pace().look(behind(TIMELY), 0, 0) == 1.0


def test_a_broker_that_is_away_is_waited_for() -> None:
    class Away(Behind):
        asked = 0

        def position(self, partition: int) -> int:
            self.asked += 1
            if self.asked < 3:
                raise KafkaConnectionError("refused")
            return 7

    pauses: list[float] = []
    pace = Pace(Patience("learn", sleep=pauses.append))
    assert pace.look(cast(Any, Away(2 * TIMELY)), 1, 1) == 0.5
    assert len(pauses) == 2


def test_examples_count_not_records() -> None:
    pace = Pace()
    for _ in range(40):
        share = pace.look(behind(10, 30), 16, 16 * 100)
    assert abs(pace.waiting - 4_000) < 10
    assert abs(share - TIMELY / 4_000) < 0.01


@given(st.lists(st.integers(0, 10**9), max_size=6), st.integers(1, 500))
def test_the_more_waits_the_less_is_taken_but_always_some(waiting: list[int], each: int) -> None:
    shares = [Pace().look(behind(one), 1, each) for one in sorted(waiting)]
    assert shares == sorted(shares, reverse=True)
    assert all(LEAST_SHARE <= share <= 1.0 for share in shares)


@pytest.mark.parametrize(
    ("records", "waiting", "rests"), [(3, 0, True), (0, 0, False), (16, 5, False)]
)
def test_it_rests_after_a_poll_that_brought_some_and_all(
    records: int, waiting: int, rests: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("stream.learn.pace.time.sleep", slept.append)
    pace = Pace()
    pace.rest()
    pace.look(behind(waiting), records, records)
    pace.rest()
    assert slept == ([REST_SECONDS] if rests else [])
