"""What the values themselves say: liked or not, in which order, how far a user's state has come."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.events import Action
from upwell.values import (
    NEGATIVE_KINDS,
    POSITIVE_KINDS,
    UNDOING_KINDS,
    CatalogueItem,
    Interaction,
    UserState,
)

VECTOR = np.ones(1, dtype=np.float32)


@pytest.mark.parametrize(
    ("kind", "rating", "liked"),
    [
        ("click", None, True),
        ("purchase", None, True),
        ("view", None, False),
        ("dislike", None, False),
        ("query", None, False),
        ("review", None, False),
        ("review", 3.5, True),
        ("review", 3.4, False),
        ("click", 1.0, False),
    ],
)
def test_a_rating_says_more_than_the_kind(kind: str, rating: float | None, liked: bool) -> None:
    assert Interaction("e", 1, "i", kind, rating).liked is liked


@pytest.mark.parametrize(("completion", "liked"), [(0.0, False), (0.49, False), (0.5, True)])
def test_a_play_speaks_for_an_item_from_the_half_on(completion: float, liked: bool) -> None:
    assert Interaction("e", 1, "i", "play", completion=completion).liked is liked
    assert Interaction("e", 1, "i", "play").liked


def test_what_is_taken_back_settles_the_same_as_what_it_takes_back() -> None:
    settles = {kind: Interaction("e", 1, "i", kind).settles for kind in Action}
    for pair in (("like", "unlike"), ("save", "unsave"), ("add_to_list", "remove_from_list")):
        assert len({settles[Action(one)] for one in pair}) == 1 == len(set(pair) & UNDOING_KINDS)
    assert len(set(settles.values())) == 4, "three things, and nothing"
    assert settles[Action.HIDE] == settles[Action.REPORT] == settles[Action.LIKE] == "opinion"
    assert Interaction("e", 1, "i", "review", 2.0).settles == "opinion"
    assert settles[Action.PLAY] is settles[Action.COMMENT] is settles[Action.FOLLOW] is None


def test_only_actions_speak_for_or_against_an_item() -> None:
    neither = {"view", "comment"} | UNDOING_KINDS
    assert POSITIVE_KINDS | NEGATIVE_KINDS | neither == set(Action)
    assert not neither & (POSITIVE_KINDS | NEGATIVE_KINDS)
    assert not POSITIVE_KINDS & NEGATIVE_KINDS


def test_numbered_ids_of_one_millisecond_keep_their_order() -> None:
    wanted = ["e1", "e2", "e9", "e10", "e11", "e100"]
    for shuffled in permutations(wanted):
        entries = [Interaction(name, 5, "i", "click") for name in shuffled]
        assert [one.event_id for one in sorted(entries, key=lambda one: one.order)] == wanted


def test_time_goes_before_the_id() -> None:
    late, early = Interaction("a", 6, "i", "click"), Interaction("zzz", 5, "i", "click")
    assert early.order < late.order


@given(
    st.dictionaries(st.sampled_from(["clicks-0", "reviews-1", "queries-2"]), st.integers(0, 1000)),
    st.sampled_from(["clicks-0", "reviews-1", "queries-2"]),
)
def test_the_sequence_grows_with_every_event(watermark: dict[str, int], source: str) -> None:
    before = UserState("u", VECTOR, watermark=watermark)
    after = UserState("u", VECTOR, watermark={**watermark, source: watermark.get(source, -1) + 1})
    assert after.sequence == before.sequence + 1


def test_a_state_without_events_has_sequence_zero() -> None:
    assert UserState("u", VECTOR).sequence == 0


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("banned", [False, True])
def test_only_what_is_neither_deleted_nor_banned_stands_in_lists(
    deleted: bool, banned: bool
) -> None:
    item = CatalogueItem(
        item_id="i",
        ts=1,
        title="t",
        vector=VECTOR,
        revision="r",
        deleted=deleted,
        banned=banned,
        pinned=True,
    )
    assert item.available is not (deleted or banned)
