"""Fences follow the topics' retention, and none goes that could still hide something. What a fence
does to a user: test_forget.py.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.chain.fences import DAY_MS, FEWEST, Fence, Fences

WEEK_MS = 7 * DAY_MS


def fence(at: int) -> Fence:
    return Fence(at, "controls-0", at)


def test_memory_follows_the_retention_whatever_was_forgotten_before() -> None:
    """A new user asks every five minutes for half a year; the topics keep a week."""
    pause, now = 300_000, 0
    fences = Fences(lambda: now - WEEK_MS)
    kept = (WEEK_MS + DAY_MS) // pause
    most = 0
    for number in range(26 * WEEK_MS // pause):
        now = number * pause
        fences.add({f"u{number}": fence(now)})
        most = max(most, len(fences))
    assert kept <= len(fences) <= most <= 2 * kept + 2


def test_few_fences_ask_nothing_of_the_broker() -> None:
    def asked() -> int:
        raise AssertionError

    fences = Fences(asked)
    for number in range(FEWEST - 1):
        fences.add({f"u{number}": fence(number)})
    assert len(fences) == FEWEST - 1


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_no_fence_goes_as_long_as_a_topic_holds_something_as_old(data: st.DataObject) -> None:
    now, oldest = 100 * DAY_MS, 0
    fences = Fences(lambda: oldest)
    asked: dict[str, int] = {}
    for batch in range(4):
        now += data.draw(st.integers(0, 5 * DAY_MS), "time passes")
        oldest = data.draw(st.integers(oldest, now), "topics lose what is older")
        step = {f"u{batch}-{number}": fence(now + number) for number in range(FEWEST)}
        step["again"] = fence(now)
        fences.add(step)
        asked |= {user: one.appended_ms for user, one in step.items()}
        needed = {user for user, at in asked.items() if at >= oldest}
        found = fences.of(asked)
        assert needed <= found.keys()
        assert all(found[user] == fence(asked[user]) for user in needed)


def test_where_no_topic_holds_anything_all_stay() -> None:
    fences = Fences(lambda: None)
    fences.add({f"u{number}": fence(0) for number in range(2 * FEWEST)})
    assert len(fences) == 2 * FEWEST


def test_an_older_request_that_comes_again_does_not_take_a_newer_one_s_place() -> None:
    fences = Fences(lambda: None)
    fences.add({"ann": fence(5)})
    fences.add({"ann": fence(3)})
    assert fences.of(["ann", "bob"]) == {"ann": fence(5)}
