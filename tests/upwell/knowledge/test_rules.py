"""When a rule holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.knowledge import Knowledge, KnowledgeKind, Rule
from upwell.knowledge.rules import month_of


def ms(year: int, month: int, day: int = 1) -> int:
    return round(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def rule(**more: object) -> Rule:
    return Rule.of(Knowledge(ts=0, kind=KnowledgeKind.FILTER, rule_id="r", category="C", **more))  # type: ignore[arg-type]


def test_without_a_condition_it_always_holds() -> None:
    assert rule().holds(None, None)
    assert rule().holds(ms(2026, 7), "Shoes")


def test_in_its_months_alone_and_where_no_time_is_meant_not_at_all() -> None:
    winter = rule(months=(12, 1, 12))
    assert winter.months == (1, 12)
    assert [winter.holds(ms(2026, month), None) for month in range(1, 13)] == [
        month in (1, 12) for month in range(1, 13)
    ]
    assert not winter.holds(None, None)


def test_within_a_category_alone() -> None:
    kids = rule(within="Kids", months=(3,))
    assert kids.holds(ms(2026, 3), "Kids")
    assert not kids.holds(ms(2026, 3), "Shoes")
    assert not kids.holds(ms(2026, 3), None)
    assert not kids.holds(ms(2026, 4), "Kids")


@pytest.mark.parametrize(
    ("ts", "month"),
    [(0, 1), (ms(2026, 2) - 1, 1), (ms(2026, 2), 2), (ms(2024, 2, 29), 2), (2**62, 12)],
)
def test_a_month_is_of_utc(ts: int, month: int) -> None:
    assert month_of(ts) == month


@given(st.integers(0, 2**63))
def test_every_time_has_a_month(ts: int) -> None:
    assert 1 <= month_of(ts) <= 12
