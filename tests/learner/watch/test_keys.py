"""What was seen lately."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from learner.watch.keys import Keys


def test_it_was_seen_within_the_window_before_or_after() -> None:
    keys = Keys()
    assert not keys.seen(1, 100, 10)
    assert keys.seen(1, 109, 10)
    assert keys.seen(1, 100, 10), "one that comes late"
    assert not keys.seen(1, 200, 10)
    assert keys.holds(1)
    assert not keys.holds(2)


def test_one_that_is_seen_again_and_again_stays_seen() -> None:
    keys = Keys()
    assert [keys.seen(1, at, 10) for at in range(0, 90, 9)] == [False] + [True] * 9


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 100)), max_size=80))
def test_it_is_bounded(seen: list[tuple[int, int]]) -> None:
    keys = Keys(most=8)
    for key, ts in seen:
        keys.seen(key, ts, 50)
        assert len(keys.times) <= 8
        assert keys.holds(key)
