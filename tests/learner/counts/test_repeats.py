"""Whether users take again what they had, told from clicks on the way to one purchase."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.repeats import (
    AGAIN,
    GAP_MS,
    LEAST_REPEATS,
    NEW,
    NOTHING,
    empty_repeats,
    learn_repeats,
    may_return,
    read_repeats,
    repeats_of,
)
from upwell.values import Example, Interaction

T0 = 1_700_000_000_000


def one(item: str, kind: str, ts: int, rating: float | None = None) -> Interaction:
    return Interaction(f"{item}-{ts}", ts, item, kind, rating)


def example(event: Interaction, *history: Interaction) -> Example:
    return Example(
        source="clicks-0",
        offset=1,
        user="u",
        event=event,
        history=history,
        intent=None,
        user_events=len(history),
        tested=True,
    )


@pytest.mark.parametrize(
    ("event", "history", "kind"),
    [
        (one("a", "click", GAP_MS), [one("a", "click", 0)], AGAIN),
        (one("a", "click", GAP_MS - 1), [one("a", "click", 0)], NOTHING),
        (one("a", "cart", GAP_MS), [one("a", "click", 0)], NOTHING),
        (one("a", "purchase", GAP_MS), [one("a", "purchase", 0), one("a", "cart", 9)], AGAIN),
        (one("b", "click", GAP_MS), [one("a", "click", 0)], NEW),
        (one("b", "click", GAP_MS), [], NOTHING),
        (one("b", "click", GAP_MS), [one("a", "skip", 0)], NOTHING),
        (one("a", "view", GAP_MS), [one("a", "view", 0)], NOTHING),
        (one("a", "like", GAP_MS), [one("a", "like", 0)], NOTHING),
        (one("a", "review", GAP_MS, 5.0), [one("a", "review", 0, 5.0)], NOTHING),
        (one("a", "click", 0), [one("a", "click", GAP_MS)], NOTHING),
    ],
)
def test_a_repeat_is_the_same_thing_done_again_on_another_occasion(
    event: Interaction, history: list[Interaction], kind: int
) -> None:
    assert repeats_of([example(event, *history)]).tolist() == [kind]


def learned(kinds: list[int]) -> np.ndarray:
    repeats = empty_repeats()
    for kind in kinds:
        learn_repeats(repeats, kind)
    return repeats


@given(st.lists(st.sampled_from([NOTHING, NEW, AGAIN]), max_size=60))
def test_both_sums_fade_and_nothing_says_nothing(kinds: list[int]) -> None:
    told = [kind for kind in kinds if kind != NOTHING]
    worth = [0.999 ** (len(told) - 1 - place) for place in range(len(told))]
    again = sum(one for one, kind in zip(worth, told, strict=True) if kind == AGAIN)
    np.testing.assert_allclose(learned(kinds), [again, sum(worth)], rtol=1e-9)


def test_what_users_had_may_return_once_repeats_are_many_and_not_before() -> None:
    few = int(LEAST_REPEATS)
    assert not may_return(empty_repeats())
    assert not may_return(learned([AGAIN] * few))  # the first have faded a little
    assert may_return(learned([AGAIN] * (few + 1)))
    seldom = [AGAIN if n % 40 == 0 else NEW for n in range(4_000)]
    often = [AGAIN if n % 10 == 0 else NEW for n in range(4_000)]
    assert not may_return(learned(seldom))
    assert may_return(learned(often))
    assert not may_return(learned([*often, *[NEW] * 4_000]))


def test_how_often_and_how_lately_are_said_of_what_was_taken() -> None:
    history, taken = np.array([4, 2, 7], np.int32), np.array([1, 0, 3], np.int32)
    found = np.array([7, 9, 2, 4], np.int32)
    often, lately = np.full(4, 5.0, np.float32), np.full(4, 5.0, np.float32)
    read_repeats(history, taken, found, often, lately)
    np.testing.assert_allclose(often, [math.log(4), 0, 0, math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(lately, [1 / 3, 0, 0, 1.0], rtol=1e-6)
    read_repeats(history, np.zeros(3, np.int32), found, often, lately)
    assert not often.any()
    assert not lately.any()
