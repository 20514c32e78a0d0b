"""The examples that wait."""

from __future__ import annotations

from stream.quarantine.held import RELEASED, Held, HeldExamples, released
from tests.stream.quarantine.crowd import Crowd


def held(crowd: Crowd, user: str, item_id: str) -> Held:
    return Held(item_id, 5, crowd.like(user, item_id))


def test_what_is_taken_is_held_no_more_and_counts_are_level() -> None:
    crowd, some = Crowd(), HeldExamples()
    all_of = [held(crowd, user, item) for user in ("a", "b") for item in ("x", "y")]
    for one in all_of:
        some.add(one)
    assert some.of_item("x") == (2, 2)
    assert some.items("a") == {"x", "y"}
    assert some.take(lambda one: one.item_id == "x", "a") == [all_of[0]]
    assert some.take(lambda one: one.item_id == "x") == [all_of[2]]
    assert not some.holds(["x"])
    assert some.holds(["y"])
    assert list(some) == [all_of[1], all_of[3]]
    assert len(some) == 2


def test_of_too_many_those_of_the_user_held_the_longest_ago_are_dropped() -> None:
    crowd, some = Crowd(), HeldExamples(most=3)
    for user in ("a", "a", "b", "b"):
        some.add(held(crowd, user, "x"))
    assert [one.example.user for one in some] == ["b", "b"]
    assert some.dropped == 2


def test_an_example_is_released_under_a_place_of_its_own_and_untested() -> None:
    one = released(held(Crowd(), "a", "x"), 3)
    assert (one.source, one.offset, one.tested) == (RELEASED, 3, False)
    assert (one.event.source, one.event.offset) == (RELEASED, 3)
    assert one.user == "a"
