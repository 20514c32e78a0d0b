"""What may be learned now, and what waits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.quarantine.held import RELEASED
from stream.quarantine.quarantine import DAY_MS, Quarantine
from tests.stream.quarantine.crowd import PUSHED, Crowd
from upwell.values import Example

NOW = 1_700_000_000_000


def after_people(crowd: Crowd) -> Quarantine:
    """Behind eighty people, who are no concern of the test."""
    made = Quarantine("strict", 30.0, {})
    made.sift(crowd.people(80), NOW)
    return made


def pushes(examples: Sequence[Example]) -> list[str]:
    """Users by whose examples the pushed item is learned."""
    return [
        one.user
        for one in examples
        if PUSHED in (one.event.item_id, *(entry.item_id for entry in one.history))
    ]


@pytest.mark.parametrize("first", [False, True])
def test_of_twenty_profiles_one_push_is_learned_at_most(first: bool) -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    learned = quarantine.sift(crowd.profiles(20, first), NOW)
    assert len(set(pushes(learned))) <= 1
    group = quarantine.changes(NOW)[PUSHED]
    assert group is not None
    assert group.users >= 19
    assert group.since == NOW


def test_what_waits_is_learned_once_its_user_has_a_past() -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    quarantine.sift(crowd.profiles(20), NOW)
    patient = [crowd.like("patient", PUSHED)]
    assert quarantine.sift(patient, NOW) == []
    later = quarantine.sift([crowd.like("patient", f"i{n}") for n in range(60)], NOW)
    assert [one.user for one in later if one.source == RELEASED and pushes([one])][:1] == [
        "patient"
    ]
    assert sum(one.event.item_id == PUSHED for one in later) == 1


def test_a_person_releases_what_waits_for_an_item_and_later_likes_of_it() -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    learned = pushes(quarantine.sift(crowd.profiles(20), NOW))
    learned += pushes(quarantine.decide([PUSHED], []))
    learned += pushes(quarantine.sift(crowd.profiles(3), NOW))
    assert len(learned) == 23
    assert quarantine.changes(NOW)[PUSHED] is None


def test_a_person_refuses_what_waits_and_it_teaches_nothing_even_when_taken_back() -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    quarantine.sift(crowd.profiles(20), NOW)
    group = quarantine.changes(NOW)[PUSHED]
    assert group is not None
    assert quarantine.decide([], [PUSHED]) == []
    assert pushes(quarantine.sift(crowd.profiles(3, first=True), NOW)) == []
    assert pushes(quarantine.decide([], [])) == []
    assert quarantine.counts["dropped"] == group.examples + 3
    assert quarantine.changes(NOW)[PUSHED] is None


def test_after_its_days_what_waits_is_dropped() -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    quarantine.sift(crowd.profiles(20), NOW)
    quarantine.sift([], NOW + 29 * DAY_MS)
    assert len(quarantine) > 0
    quarantine.sift([], NOW + 31 * DAY_MS)
    assert len(quarantine) == 0


def test_nothing_waits_of_a_user_who_is_forgotten() -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    quarantine.sift(crowd.profiles(20), NOW)
    user = quarantine.state()["held"][0].example.user
    assert quarantine.forget(user) > 0
    assert user not in {one.example.user for one in quarantine.state()["held"]}
    assert quarantine.forget(user) == 0


def test_a_user_who_likes_an_item_again_and_again_is_one_user() -> None:
    crowd = Crowd()
    quarantine = after_people(crowd)
    again = [crowd.like("fan", PUSHED) for _ in range(10)]
    assert quarantine.sift(again, NOW) == again
    assert quarantine.changes(NOW) == {}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_records_that_come_again_and_where_a_stream_is_cut_change_nothing(
    seed: int, cuts: list[int]
) -> None:
    def stream() -> list[Example]:
        crowd = Crowd(seed)
        return crowd.people(30) + crowd.profiles(12) + crowd.people(4)

    whole, parts = Quarantine("strict", 30.0, {}), Quarantine("strict", 30.0, {})
    wanted = whole.sift(stream(), NOW)
    examples, found, start, number = stream(), [], 0, 0
    while start < len(examples):
        size = cuts[number % len(cuts)]
        found += parts.sift(examples[max(0, start - 5) : start + size], NOW)  # five come again
        start, number = start + size, number + 1
    assert found == wanted
    assert parts.state()["held"] == whole.state()["held"]


def test_the_less_strict_one_lets_the_first_four_through() -> None:
    crowd = Crowd()
    quarantine = Quarantine("burst", 30.0, {})
    quarantine.sift(crowd.people(80), NOW)
    learned = quarantine.sift(crowd.profiles(20), NOW)
    assert 4 <= len(set(pushes(learned))) <= 6
