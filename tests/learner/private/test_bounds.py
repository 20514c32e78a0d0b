"""What of a user counts, for good."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.private.bounds import Bounds

EVENTS = st.lists(st.tuples(st.sampled_from(["ann", "bob", "çelik", ""]), st.integers(0, 9)))


@given(EVENTS)
def test_each_item_counts_once_and_at_most_so_many(events: list[tuple[str, int]]) -> None:
    bounds, counted = Bounds(items=3, lessons=2), dict[str, list[int]]()
    for user, row in events:
        place = bounds.count(user, row)
        if place is not None:
            assert place == len(counted.setdefault(user, []))
            counted[user].append(row)
    for user, rows in counted.items():
        had = list(dict.fromkeys(row for name, row in events if name == user))
        assert rows == had[:3]


def test_a_user_teaches_so_often_and_no_more() -> None:
    bounds = Bounds(items=3, lessons=2)
    assert [bounds.teach("ann") for _ in range(4)] == [True, True, False, False]
    assert bounds.teach("bob")


def test_who_was_forgotten_adds_nothing_again() -> None:
    bounds = Bounds(items=3, lessons=2)
    bounds.count("ann", 5)
    bounds.forget("ann")
    bounds.forget("who was never here")
    assert bounds.count("ann", 5) is None
    assert bounds.count("ann", 6) is None
    assert not bounds.teach("ann")
    assert 5 not in bounds.arrays()["items"]
    assert len(bounds) == 1


@given(EVENTS, EVENTS)
def test_it_goes_on_after_a_checkpoint(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    bounds, again = Bounds(items=3, lessons=2), Bounds(items=3, lessons=2)
    for user, row in before:
        bounds.count(user, row)
        bounds.teach(user)
    again.restore({name: np.array(array) for name, array in bounds.arrays().items()})
    assert len(again) == len(bounds)
    for user, row in after:
        assert again.count(user, row) == bounds.count(user, row)
        assert again.teach(user) == bounds.teach(user)
