"""What is ruled on a control, and what stands after it; by records: ../audit/test_desk.py."""

from __future__ import annotations

import pytest

from stream.chain.overrides.ledger import (
    MOST_OVERRIDES,
    Kept,
    Outcome,
    Refusal,
    applied,
    person,
    ruled,
)
from tests.stream.chain.overrides.test_override import BASE
from upwell.events import Control, ControlKind

WAITING = Kept(seq=3, waiting=BASE, needs=2)


def control(kind: ControlKind, by: str = "eve") -> Control:
    return Control(event_id="e", ts=1, kind=kind, by=by, why="w", override_id="o")


def reason(kept: Kept | None, kind: ControlKind, by: str = "eve") -> str:
    found = ruled(kept, control(kind, by), 1, 0)
    assert isinstance(found, Refusal)
    return found.reason


@pytest.mark.parametrize("by", ["Ann", " ann ", "ＡＮＮ"])
def test_names_that_differ_in_case_and_width_are_one_person(by: str) -> None:
    assert person(by) == person("ann")


def test_an_approval_needs_somebody_else_and_something_that_waits() -> None:
    assert reason(WAITING, ControlKind.APPROVE, "B") == "same_person"
    assert reason(None, ControlKind.APPROVE) == "unknown_override"
    assert reason(Kept(seq=1, standing=BASE), ControlKind.APPROVE) == "unknown_override"
    assert ruled(WAITING, control(ControlKind.APPROVE), 1, 0) is Outcome.WAITS


def test_no_more_than_so_many_are_kept_but_one_that_stands_can_be_replaced() -> None:
    full = MOST_OVERRIDES
    found = ruled(None, control(ControlKind.OVERRIDE), 0, full)
    assert isinstance(found, Refusal)
    assert found.reason == "overrides_full"
    assert ruled(WAITING, control(ControlKind.OVERRIDE), 0, full) is Outcome.IN_FORCE


def test_how_many_have_to_approve_is_as_it_was_when_it_was_said() -> None:
    found = applied(WAITING, 4, ControlKind.APPROVE, Outcome.WAITS, "eve", {})
    assert found == Kept(seq=4, waiting=BASE, needs=2, approvals=("eve",))
    assert ruled(found, control(ControlKind.APPROVE, "joe"), 0, 0) is Outcome.IN_FORCE
    assert applied(found, 5, ControlKind.APPROVE, Outcome.IN_FORCE, "joe", {}) == Kept(
        seq=5, standing=BASE
    )


def test_what_was_refused_changes_nothing() -> None:
    assert applied(WAITING, 9, ControlKind.WITHDRAW, Outcome.REFUSED, "x", {}) is WAITING
    assert applied(None, 9, ControlKind.BAN_ITEM, Outcome.DONE, "x", {}) is None
