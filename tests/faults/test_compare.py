"""The comparison sees what it is there for: each kind of loss and of doubling in a user's state, in
examples, in lists.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.faults.compare import difference_of_lists, difference_of_users
from upwell.values import Interaction, UserState

STATE = UserState(
    user="u",
    intent=np.ones(4, np.float32),
    history=tuple(
        Interaction(f"e{number}", number, f"i{number}", "review", 4.0, "reviews-0", number)
        for number in range(3)
    ),
    had=("i0", "i1", "i2"),
    events=3,
    watermark={"reviews-0": 2},
)


def test_equal_states_differ_in_nothing() -> None:
    assert list(difference_of_users("ann", STATE, STATE)) == []
    assert (
        list(
            difference_of_users(
                "ann", replace(STATE, intent=STATE.intent + np.float32(5e-4)), STATE
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("found", "signs"),
    [
        (None, {-1}),
        (replace(STATE, history=STATE.history[1:]), {-1}),
        (replace(STATE, history=(*STATE.history, STATE.history[-1])), {1}),
        (replace(STATE, history=STATE.history[::-1]), {-1}),
        (replace(STATE, events=4), {1}),
        (replace(STATE, had=("i0", "i1")), {-1}),
        (replace(STATE, had=(*STATE.had, "i9")), {1}),
        (replace(STATE, watermark={"reviews-0": 1}), {-1}),
        (replace(STATE, watermark={**STATE.watermark, "clicks-0": 0}), {1}),
        (replace(STATE, intent=STATE.intent + np.float32(0.01)), {-1}),
    ],
)
def test_a_state_that_differs_is_told(found: UserState | None, signs: set[int]) -> None:
    assert {int(np.sign(count)) for count, _ in difference_of_users("ann", found, STATE)} == signs


def test_a_newest_list_that_is_late_is_told() -> None:
    users = {"ann": STATE}
    assert list(difference_of_lists({"ann": {"reviews-0": 2}}, users)) == []
    assert [count for count, _ in difference_of_lists({"ann": {"reviews-0": 1}}, users)] == [-1]
    assert [count for count, _ in difference_of_lists({}, users)] == [-1]
