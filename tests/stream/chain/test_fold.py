"""The laws of folding: order does not matter, redelivery changes nothing, a retry counts once, a
late announcement counts in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.fold import Bounds, Incoming, empty_state, fold_events, standing
from upwell.values import UNDOING_KINDS, Interaction, Tag, UserState, Vector

DIMENSION = 4
BOUNDS = Bounds(history=100, had=100, half_life_ms=1_000.0)
VECTORS = {
    f"i{number}": np.eye(DIMENSION, dtype=np.float32)[number % DIMENSION] for number in range(8)
}


def known(item_id: str) -> Vector | None:
    return VECTORS.get(item_id)


def unknown(item_id: str) -> Vector | None:
    return None


def fold(events: Sequence[Incoming], state: UserState | None = None) -> UserState:
    return fold_events(state or empty_state("u", DIMENSION), events, known, BOUNDS).state


def click(
    number: int, *, ts: int = 0, item: int = 0, offset: int | None = None, tested: bool = False
) -> Incoming:
    at = number if offset is None else offset
    return Incoming(
        Interaction(f"e{number}", ts or number, f"i{item}", "click", None, "clicks-0", at),
        tested=tested,
    )


def assert_same_user(one: UserState, other: UserState) -> None:
    """The same user whatever the order of arrival: all but which offset came last."""
    assert one.history == other.history
    assert set(one.had) == set(other.had)
    assert (one.events, one.intent_ts) == (other.events, other.intent_ts)
    np.testing.assert_allclose(one.intent, other.intent, atol=1e-4)


@st.composite
def incoming_events(draw: st.DrawFn) -> list[Incoming]:
    count = draw(st.integers(1, 12))
    events = []
    for number in range(count):
        kind = draw(
            st.sampled_from(
                [
                    "click",
                    "view",
                    "like",
                    "dislike",
                    "unlike",
                    "skip",
                    "purchase",
                    "review",
                    "query",
                    *("save", "unsave", "add_to_list", "remove_from_list", "hide", "play"),
                ]
            )
        )
        item = None if kind == "query" else f"i{draw(st.integers(0, 9))}"
        rating = draw(st.sampled_from([None, 1.0, 3.5, 5.0])) if kind == "review" else None
        played = draw(st.sampled_from([None, 0.0, 0.3, 1.0])) if kind == "play" else None
        text = (
            np.full(DIMENSION, 0.5, dtype=np.float32)
            if kind in {"query", "review"} and draw(st.booleans())
            else None
        )
        events.append(
            Incoming(
                Interaction(
                    f"e{number}",
                    draw(st.integers(0, 5_000)),
                    item,
                    kind,
                    rating,
                    f"t{number}-0",
                    0,
                    played,
                ),
                text,
            )
        )
    return events


@given(incoming_events(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_user(events: list[Incoming], random: object) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_same_user(fold(events), fold(shuffled))


@given(incoming_events(), st.integers(0, 12))
def test_batches_do_not_matter(events: list[Incoming], cut: int) -> None:
    assert_same_user(fold(events), fold(events[cut:], fold(events[:cut])))


@given(incoming_events(), st.integers(0, 12))
def test_redelivery_changes_no_state_but_gives_the_examples_again(
    events: list[Incoming], cut: int
) -> None:
    state = fold(events)
    again = fold_events(state, events[cut:], known, BOUNDS)
    assert again.state is state
    assert not again.changed
    assert [example.event for example in again.examples] == [
        one.event
        for one in events[cut:]
        if one.event.item_id is not None and one.event.kind not in UNDOING_KINDS
    ]
    assert not any(example.tested for example in again.examples)


@given(incoming_events())
def test_an_item_announced_late_counts_as_if_it_had_been_known(events: list[Incoming]) -> None:
    before = fold_events(empty_state("u", DIMENSION), events, unknown, BOUNDS).state
    last = Incoming(Interaction("last", 6_000, "i1", "click", None, "clicks-9", 0))
    assert_same_user(fold([last], before), fold([*events, last]))


def test_a_retry_with_the_same_event_id_counts_once_and_is_reported() -> None:
    retry = click(1, offset=7)
    result = fold_events(fold([click(1, offset=3)]), [retry], known, BOUNDS)
    assert result.duplicates == (retry.event,)
    assert not result.changed
    assert result.examples == ()


def test_a_retry_within_one_batch_counts_once() -> None:
    result = fold_events(
        empty_state("u", DIMENSION), [click(1, offset=3), click(1, offset=4)], known, BOUNDS
    )
    assert result.state.events == 1
    assert len(result.duplicates) == 1


def test_an_example_knows_only_what_came_before_it() -> None:
    result = fold_events(
        empty_state("u", DIMENSION),
        [click(1, item=1), click(2, item=2, tested=True)],
        known,
        BOUNDS,
    )
    first, second = result.examples
    assert first.history == ()
    assert first.intent is None
    assert [entry.item_id for entry in second.history] == ["i1"]
    assert second.had == ("i1",)
    assert second.user_events == 1
    np.testing.assert_allclose(second.intent, VECTORS["i1"])  # type: ignore[arg-type]


def test_a_redelivered_example_has_the_history_it_had_the_first_time() -> None:
    events = [click(1, item=1), click(2, item=2), click(3, item=3)]
    state = fold(events)
    again = fold_events(state, events, known, BOUNDS)
    assert [[entry.item_id for entry in example.history] for example in again.examples] == [
        [],
        ["i1"],
        ["i1", "i2"],
    ]
    assert [example.user_events for example in again.examples] == [0, 1, 2]


def test_what_is_kept_is_bounded_and_newest() -> None:
    bounds = replace(BOUNDS, history=3, had=2)
    state = fold_events(
        empty_state("u", DIMENSION), [click(n, item=n % 8) for n in range(1, 8)], known, bounds
    ).state
    assert [entry.event_id for entry in state.history] == ["e5", "e6", "e7"]
    assert state.had == ("i6", "i7")
    assert state.events == 7


def test_views_skips_and_searches_leave_the_item_recommendable() -> None:
    kinds = ["view", "skip", "click"]
    events = [
        Incoming(Interaction(f"e{n}", n, f"i{n}", kind, None, "clicks-0", n))
        for n, kind in enumerate(kinds)
    ]
    assert fold(events).had == ("i2",)


def test_intent_halves_with_the_half_life_of_the_events_own_time() -> None:
    state = fold([click(1, ts=1_000, item=1), click(2, ts=2_000, item=2)])
    np.testing.assert_allclose(state.intent, 0.25 * VECTORS["i1"] + 0.5 * VECTORS["i2"], atol=1e-6)


@pytest.mark.parametrize(("rating", "sign"), [(5.0, 1), (1.0, -1), (3.0, 0)])
def test_a_rating_signs_the_intent(rating: float, sign: int) -> None:
    state = fold([Incoming(Interaction("e", 1, "i1", "review", rating, "reviews-0", 0))])
    assert np.sign(state.intent @ VECTORS["i1"]) == sign


def opinion(
    number: int, kind: str, rating: float | None = None, text: Vector | None = None
) -> Incoming:
    return Incoming(Interaction(f"o{number}", number, "i1", kind, rating, f"o{number}-0", 0), text)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (opinion(1, "review", 5.0), opinion(2, "review", 0.5)),
        (opinion(1, "like"), opinion(2, "dislike")),
        (opinion(1, "dislike"), opinion(2, "review", 4.0)),
        (opinion(1, "review", 5.0), opinion(2, "unlike")),
        (opinion(1, "like"), opinion(2, "hide")),
        (opinion(1, "report"), opinion(2, "unlike")),
        (opinion(1, "save"), opinion(2, "unsave")),
        (opinion(1, "unsave"), opinion(2, "save")),
        (opinion(1, "save"), opinion(2, "save")),
        (opinion(1, "add_to_list"), opinion(2, "remove_from_list")),
    ],
)
def test_the_last_word_on_an_item_is_the_only_one_that_counts(
    first: Incoming, last: Incoming
) -> None:
    both, backwards, alone = fold([first, last]), fold([last, first]), fold([last])
    np.testing.assert_allclose(both.intent, alone.intent, atol=1e-6)
    np.testing.assert_allclose(backwards.intent, alone.intent, atol=1e-6)
    told = [] if last.event.kind in UNDOING_KINDS else [last.event]
    assert list(standing(both.history)) == told
    after = fold_events(both, [click(9, item=2)], known, BOUNDS)
    assert after.examples[0].history == tuple(told)


def test_what_is_no_opinion_stands_beside_one() -> None:
    history = [click(1, item=1).event, opinion(2, "dislike").event, click(3, item=1).event]
    assert list(standing(history)) == history[::-1]


def test_what_takes_one_thing_back_leaves_the_others() -> None:
    done = [opinion(1, "like"), opinion(2, "save"), opinion(3, "add_to_list")]
    both = fold([*done, opinion(4, "unsave")])
    np.testing.assert_allclose(both.intent, fold([done[0], done[2]]).intent, rtol=1e-2)
    assert [one.kind for one in standing(both.history)] == ["add_to_list", "like"]
    assert both.had == ("i1",), "it was had, whatever is said of it later"


@pytest.mark.parametrize("kind", sorted(UNDOING_KINDS))
def test_an_event_that_takes_back_teaches_nothing_and_is_not_had(kind: str) -> None:
    assert fold_events(fold([]), [opinion(1, kind)], known, BOUNDS).examples == ()
    assert fold([opinion(1, kind)]).had == ()


def test_a_play_counts_by_how_much_was_played() -> None:
    def along(completion: float | None) -> float:
        event = Interaction("e", 1, "i1", "play", None, "clicks-0", 0, completion)
        return float(fold([Incoming(event)]).intent[1])

    assert [along(one) for one in (0.0, 0.5, 1.0, None)] == pytest.approx([-0.3, 0.35, 1.0, 0.5])


@given(incoming_events(), st.integers(0, 12))
def test_examples_tell_named_segments_of_tested_targets_however_batches_are_cut(
    events: list[Incoming], cut: int
) -> None:
    bounds = replace(BOUNDS, told=("women", "men"))
    tags = {"men": Tag(1, "a", False), "women": Tag(1, "b", True), "secret": Tag(1, "c", True)}
    state = replace(empty_state("u", DIMENSION), tags=tags)
    events = [replace(one, tested=place % 2 == 0) for place, one in enumerate(events)]
    whole = fold_events(state, events, known, bounds)
    first = fold_events(state, events[:cut], known, bounds)
    second = fold_events(first.state, events[cut:], known, bounds)
    for found in (whole.examples, (*first.examples, *second.examples)):
        assert all(one.segments == (("women",) if one.tested else ()) for one in found)
    assert len(whole.examples) == len(first.examples) + len(second.examples)
    assert not any(one.segments for one in fold_events(state, events, known, BOUNDS).examples)
