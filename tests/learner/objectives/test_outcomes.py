"""What an event says of the items before it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.objectives.outcomes import (
    BOUGHT,
    LEFT,
    LONG_DWELL_MS,
    OPENED,
    RETURN_MS,
    RETURNED,
    SESSION_MS,
    STAYED,
    outcomes,
)
from upwell.values import Interaction

T0 = 1_700_000_000_000
MINUTE, HOUR = 60_000, 3_600_000


def at(ts: int, item: str, kind: str = "click", completion: float | None = None) -> Interaction:
    return Interaction(f"{ts}-{item}-{kind}", T0 + ts, item, kind, completion=completion)


def said(*events: Interaction) -> list[tuple[int, str]]:
    """Of the last event, with those before it as its history."""
    return list(outcomes(events[-1], events[:-1]))


def all_said(events: list[Interaction]) -> Counter[tuple[int, str]]:
    return Counter(one for end in range(1, len(events) + 1) for one in said(*events[:end]))


def test_an_item_is_opened_once_a_user() -> None:
    assert said(at(0, "a")) == [(OPENED, "a")]
    assert said(at(0, "a", "view"), at(1, "a")) == []
    assert said(at(0, "a", "like")) == []


@pytest.mark.parametrize("kind", ["cart", "purchase", "add_to_list"])
def test_a_purchase_after_an_opening_counts_once(kind: str) -> None:
    assert said(at(0, "a"), at(5, "a", kind)) == [(BOUGHT, "a")]
    assert said(at(0, "a", kind)) == []
    assert said(at(0, "b"), at(9 * HOUR, "c"), at(9 * HOUR + 1, "a", kind)) == [(LEFT, "c")]
    assert said(at(0, "a"), at(5, "a", "cart"), at(9, "a", kind)) == []


def test_how_long_a_user_stayed_is_known_when_they_go_on() -> None:
    assert said(at(0, "a"), at(LONG_DWELL_MS - 1, "b")) == [(OPENED, "b"), (LEFT, "a")]
    stayed = [(OPENED, "b"), (LEFT, "a"), (STAYED, "a")]
    assert said(at(0, "a"), at(LONG_DWELL_MS, "b")) == stayed
    assert said(at(0, "a"), at(5, "a", "share"), at(LONG_DWELL_MS, "b")) == stayed
    assert said(at(0, "a"), at(LONG_DWELL_MS, "a", "share")) == []
    assert said(at(0, "a"), at(5, "b", "like"), at(LONG_DWELL_MS, "c")) == [(OPENED, "c")]
    assert said(at(0, "a"), at(5, "b"), at(9, "a"), at(MINUTE, "c")) == [(OPENED, "c")]
    assert (LEFT, "a") not in said(at(0, "a"), at(SESSION_MS + 1, "b"))


def test_a_play_says_itself_how_long() -> None:
    whole, little = at(0, "a", "play", 0.9), at(0, "a", "play", 0.1)
    assert said(whole) == [(OPENED, "a"), (LEFT, "a"), (STAYED, "a")]
    assert said(little) == [(OPENED, "a"), (LEFT, "a")]
    assert said(little, at(MINUTE, "b")) == [(OPENED, "b")]


def test_who_comes_back_credits_what_the_session_before_opened() -> None:
    past = [at(0, "x"), at(9 * HOUR, "a"), at(9 * HOUR + 1, "x"), at(9 * HOUR + 2, "b", "view")]
    back = at(9 * HOUR + 3 + SESSION_MS, "c")
    assert said(*past, back) == [(OPENED, "c"), (RETURNED, "a"), (RETURNED, "b")]
    assert said(*past, at(9 * HOUR + 2 + SESSION_MS, "c")) == [
        (OPENED, "c"),
        (LEFT, "b"),
        (STAYED, "b"),
    ]
    assert said(*past, at(9 * HOUR + 3 + RETURN_MS, "c")) == [(OPENED, "c")]


def test_where_no_time_is_known_none_is_read() -> None:
    nowhen = Interaction("e", 0, "a", "click")
    assert said(nowhen, at(0, "b")) == [(OPENED, "b")]
    assert said(nowhen, Interaction("f", 0, "b", "click")) == [(OPENED, "b")]


KINDS = ("view", "click", "play", "cart", "purchase", "add_to_list", "like", "review", "skip")
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3 * SESSION_MS),
        st.sampled_from("abc"),
        st.sampled_from(KINDS),
    ),
    max_size=40,
)


@given(EVENTS)
def test_nothing_follows_more_often_than_it_was_tried(
    events: list[tuple[int, str, str]],
) -> None:
    ts, made = 0, []
    for gap, item, kind in events:
        ts += gap
        made.append(at(ts, item, kind))
    found = all_said(made)
    for item in "abc":
        opened, bought, left, stayed, returned = (found[one, item] for one in range(5))
        assert bought <= opened <= 1
        assert returned <= opened
        assert stayed <= left <= opened
