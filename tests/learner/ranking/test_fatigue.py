"""Impressions of a user: kept in any order of arrival the same, bounded, answered by what the user
does, fading.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.fatigue import (
    ANSWER_MS,
    HALF_LIFE_MS,
    MOST_IMPRESSIONS,
    MOST_PLACES,
    MOST_WORN,
    beside,
    disliked,
    hidden,
    with_shown,
    worn,
)
from upwell.values import Interaction, Shown

NOW = 1_700_000_000_000


def shown(*times: int, items: tuple[str, ...] = ("a", "b")) -> tuple[Shown, ...]:
    return tuple(Shown(f"e{ts}", ts, items) for ts in times)


def did(ts: int, item: str = "a", kind: str = "click") -> Interaction:
    return Interaction(f"d{ts}", ts, item, kind)


def kept(impressions: list[Shown]) -> tuple[Shown, ...]:
    found: tuple[Shown, ...] = ()
    for one in impressions:
        found = with_shown(found, one)
    return found


impressions = st.builds(
    Shown,
    st.integers(0, 500).map(str),
    st.integers(0, 5),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple),
)


@given(st.lists(impressions, unique_by=lambda one: one.event_id, max_size=120), st.randoms())
def test_any_order_of_arrival_keeps_the_same_and_what_comes_again_changes_nothing(
    arrived: list[Shown], random: object
) -> None:
    first = kept(arrived)
    shuffled = list(arrived)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert kept(shuffled) == first
    assert kept([*arrived, *shuffled]) == first
    newest = sorted(one.order for one in arrived)[-MOST_IMPRESSIONS:]
    assert [one.order for one in first] == newest


def test_a_retry_with_another_time_counts_as_when_it_was_first() -> None:
    for arrived in ([3, 9], [9, 3]):
        assert kept([Shown("e", ts, ("a",)) for ts in arrived]) == (Shown("e", 3, ("a",)),)


def test_of_a_long_impression_the_first_places_count_each_item_once() -> None:
    many = tuple(f"i{number // 2}" for number in range(1_000))
    [one] = with_shown((), Shown("e", 1, many))
    assert one.item_ids == tuple(f"i{number}" for number in range(MOST_PLACES))


def test_the_newest_stay() -> None:
    items = tuple(f"i{number}" for number in range(10))
    found = kept([Shown(f"{number}", number, items) for number in range(500)])
    assert [one.ts for one in found] == list(range(500 - MOST_IMPRESSIONS, 500))


def test_each_impression_counts_and_half_of_it_after_the_half_life() -> None:
    assert worn(shown(NOW, NOW), (), NOW)["a"] == 2.0
    found = worn(shown(NOW - 2 * HALF_LIFE_MS, NOW - HALF_LIFE_MS, NOW, NOW + 5), (), NOW)
    assert found == {"a": 2.75, "b": 2.75}  # one from ahead counts as now
    assert worn((), [did(NOW)], NOW) == {}


def test_it_wears_no_further_than_the_floor_and_comes_back() -> None:
    often = shown(*range(NOW, NOW + MOST_IMPRESSIONS))
    assert worn(often, (), NOW)["a"] == MOST_WORN
    assert worn(often, (), NOW + 12 * HALF_LIFE_MS)["a"] < 0.1


@pytest.mark.parametrize("kind", ["click", "view", "like", "review", "unlike", "cart"])
def test_an_event_on_the_item_answers_what_was_before_it(kind: str) -> None:
    history = [did(NOW + 2, kind=kind)]
    assert worn(shown(NOW, NOW + 2), history, NOW + 2) == worn(
        shown(NOW, NOW + 2, items=("b",)), (), NOW + 2
    )
    assert worn(shown(NOW, NOW + 3, NOW + 4), history, NOW)["a"] == 2.0


@pytest.mark.parametrize("kind", ["skip", "dislike"])
def test_to_skip_is_no_answer(kind: str) -> None:
    assert worn(shown(NOW), [did(NOW + 1, kind=kind)], NOW) == worn(shown(NOW), (), NOW)


def test_a_choice_is_among_those_of_its_newest_impression_as_worn_as_they_were_then() -> None:
    seen = (*shown(NOW, NOW + 1), Shown("other", NOW + 2, ("c",)))
    chosen = beside(seen, (), did(NOW + 3))
    assert [item for item, _ in chosen] == ["a", "b"]
    assert [count for _, count in chosen] == pytest.approx([1.0, 1.0])
    last = (*seen, Shown("last", NOW + 3, ("c", "a", "new")))
    assert [item for item, _ in beside(last, (), did(NOW + 4))] == ["c", "a", "new"]
    assert dict(beside(last, [did(NOW + 1, "a")], did(NOW + 4)))["a"] == 0.0
    assert dict(beside(last, [did(NOW + 3, "a")], did(NOW + 4)))["a"] > 1.9  # not yet at that time


@pytest.mark.parametrize(
    ("seen", "event"),
    [
        (shown(NOW), did(NOW + 1)),  # shown once: nothing was worn
        (shown(NOW - 1, NOW), did(NOW + 1, "elsewhere")),
        (shown(NOW - 1, NOW), did(NOW + ANSWER_MS + 1)),
        (shown(NOW + 1, NOW + 2), did(NOW)),
    ],
)
def test_other_choices_say_nothing(seen: tuple[Shown, ...], event: Interaction) -> None:
    assert beside(seen, (), event) == ()


def test_what_was_hidden_or_spoken_against_last_is_turned_down() -> None:
    kinds = ["like", "dislike", "hide", "report", "skip", "view", "query"]
    done = [
        Interaction(f"e{number}", number, None if kind == "query" else kind, kind)
        for number, kind in enumerate(kinds)
    ]
    assert hidden(done) == ["hide", "report"]
    assert disliked(done) == ["dislike", "hide", "report", "skip"]
    assert disliked([*done, Interaction("x", 9, "hide", "like")]) == ["dislike", "report", "skip"]
