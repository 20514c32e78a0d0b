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
    TAKEN_BACK,
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


def test_only_actions_speak_for_or_against_an_item() -> None:
    assert POSITIVE_KINDS | NEGATIVE_KINDS | {"view", TAKEN_BACK} == set(Action)
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
