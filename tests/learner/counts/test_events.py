"""Histories as columns: what went in comes out again, and of an item its newest opinion holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.events import HISTORY, KINDS, item_events, past_of
from upwell.values import Interaction

KNOWN = [f"i{number}" for number in range(7)]
ENTRIES = st.builds(
    Interaction,
    st.just("e"),
    st.integers(0, 2**45),
    st.sampled_from([*KNOWN, "nobody knows", None]),
    st.sampled_from(KINDS),
    st.none() | st.sampled_from([0.5, 3.0, 3.5, 5.0]),
)
History = list[Interaction]


def row_of(item_id: str) -> int | None:
    return KNOWN.index(item_id) if item_id in KNOWN else None


def placed(history: History) -> list[tuple[int, Interaction]]:
    """What has a row."""
    found = ((row_of(one.item_id), one) for one in history if one.item_id is not None)
    return [(row, one) for row, one in found if row is not None]


@st.composite
def histories(draw: st.DrawFn) -> list[History]:
    """Of few entries, so that users share some."""
    entries = draw(st.lists(ENTRIES, min_size=1, max_size=9))
    return draw(st.lists(st.lists(st.sampled_from(entries), max_size=12), max_size=5))


@given(histories())
def test_each_event_on_an_item_with_a_row_is_read_back_user_by_user(some: list[History]) -> None:
    found = item_events(some, row_of)
    assert len(found.starts) == len(some) + 1
    for user, history in enumerate(some):
        mine = slice(*found.starts[user : user + 2])
        stars = [None if np.isnan(one) else one for one in found.ratings[mine]]
        kinds = [KINDS[code] for code in found.kinds[mine]]
        read = zip(found.rows[mine].tolist(), kinds, stars, found.ts[mine].tolist(), strict=True)
        assert list(read) == [(row, one.kind, one.rating, one.ts) for row, one in placed(history)]


@given(histories())
def test_a_row_stands_where_it_was_last_met_and_its_newest_opinion_holds(
    some: list[History],
) -> None:
    past = past_of(item_events(some, row_of))
    for user, history in enumerate(some):
        mine = slice(*past.starts[user : user + 2])
        newest = placed(history)[::-1]
        assert past.history[mine].tolist() == list(dict.fromkeys(row for row, _ in newest))
        for row, flag in zip(past.history[mine], past.liked[mine], strict=True):
            events = [one for other, one in newest if other == row]
            opinions = [one for one in events if one.opinion]
            expected = opinions[0].liked if opinions else any(one.liked for one in events)
            assert flag == expected


def test_what_was_done_before_the_newest_events_is_not_read() -> None:
    old, new = Interaction("e", 0, "i0", "like"), Interaction("f", 1, "i1", "view")
    assert past_of(item_events([[old] + [new] * HISTORY], row_of)).history.tolist() == [1]
    assert past_of(item_events([[old] + [new] * (HISTORY - 1)], row_of)).history.tolist() == [1, 0]


def test_rows_are_made_in_the_order_of_the_events() -> None:
    made: list[str] = []

    def ensure(item_id: str) -> int:
        made.append(item_id)
        return len(made) - 1

    row: Callable[[str], int | None] = ensure
    entries = [Interaction("e", 0, f"i{number}", "view") for number in range(50)][::-1]
    item_events([entries[:30], entries[20:], entries], row)
    assert made == [str(one.item_id) for one in entries]


@given(histories())
def test_an_item_was_taken_as_often_as_its_events_say_that_it_is_liked(some: list[History]) -> None:
    past = past_of(item_events(some, row_of))
    for user, history in enumerate(some):
        mine = slice(*past.starts[user : user + 2])
        events = placed(history)[-HISTORY:]
        assert past.taken[mine].tolist() == [
            sum(one.liked for own, one in events if own == row) for row in past.history[mine]
        ]
