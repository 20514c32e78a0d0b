"""Which items newcomers like in a burst."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from stream.quarantine import detector
from stream.quarantine.detector import ALARM, MOST_ITEMS, WARM_UP, Detector

SUSPECT = detector.SUSPECT["strict"]
LIKES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 200)), max_size=200)


def settled(likes: int = 2_000) -> Detector:
    """One that has seen newcomers like fifty items alike."""
    found = Detector()
    for number in range(likes):
        found.newcomer(number % 60)
        found.see(f"i{number % 50}", newcomer=True)
    return found


def test_an_item_that_newcomers_like_in_a_burst_is_an_alarm_within_six_likes() -> None:
    one = settled()
    sums = [one.see("pushed", newcomer=True) for _ in range(6)]
    assert sums[0] < SUSPECT <= sums[1]
    assert sums[-1] >= ALARM


def test_what_newcomers_like_as_always_is_no_alarm() -> None:
    one = settled()
    assert max(one.see(f"i{n % 50}", newcomer=True) for n in range(2_000)) < SUSPECT


def test_likes_of_users_with_a_past_speak_for_an_item() -> None:
    one = settled()
    sums = [one.see("hit", newcomer=number % 2 == 0) for number in range(40)]
    assert max(sums) < SUSPECT


def test_a_burst_that_is_over_fades() -> None:
    one = settled()
    for _ in range(3):
        one.see("rare", newcomer=True)
    before = one.sum_of("rare")
    for number in range(20_000):
        one.see(f"i{number % 50}", newcomer=True)
    assert before >= SUSPECT
    assert one.sum_of("rare") == 0.0


def test_nothing_is_suspect_while_shares_are_learned() -> None:
    one = Detector()
    assert {one.see("i0", newcomer=True) for _ in range(WARM_UP)} == {0.0}


def test_a_newcomer_is_one_with_less_than_the_usual_past() -> None:
    one = Detector()
    for _ in range(3_000):
        one.newcomer(40)
    assert one.newcomer(20)
    assert not one.newcomer(60)


def test_no_more_items_than_there_is_room_for_are_followed() -> None:
    one = Detector()
    for number in range(MOST_ITEMS + 10):
        one.see(f"i{number}", newcomer=False)
    assert len(one.state()["items"]) == MOST_ITEMS


@given(LIKES, st.integers(0, 200))
def test_it_goes_on_where_it_was_restored(likes: list[tuple[str, int]], cut: int) -> None:
    whole, first, second = settled(1_100), settled(1_100), Detector()
    wanted = [whole.see(item, whole.newcomer(past)) for item, past in likes]
    sums = [first.see(item, first.newcomer(past)) for item, past in likes[:cut]]
    second.restore(json.loads(json.dumps(first.state())))
    sums += [second.see(item, second.newcomer(past)) for item, past in likes[cut:]]
    assert sums == wanted


def test_its_constants_are_those_that_docs_name() -> None:
    assert (detector.RISE, ALARM, WARM_UP) == (8.0, 9.0, 1_000)
    assert detector.SUSPECT == {"burst": ALARM, "strict": 3.0}
