"""Typed actions through the chain: out of order, repeated, taken back, in one batch or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream.chain.chain import NOW_MS, PSEUDONYMIZER, Chain, record
from upwell.events import Action, Topic
from upwell.values import UserState

TS = 1_700_000_000_000
DONE: tuple[dict[str, Any], ...] = (
    {"item_id": "i0", "action": "save"},
    {"item_id": "i0", "action": "unsave"},
    {"item_id": "i1", "action": "play", "completion": 0.25},
    {"item_id": "i1", "action": "add_to_list"},
    {"item_id": "i2", "action": "hide"},
    {"item_id": "i0", "action": "like"},
    {"item_id": "i3", "action": "report"},
    {"item_id": "i3", "action": "unlike"},
    {"item_id": "i1", "action": "remove_from_list"},
    {"item_id": "i0", "action": "comment"},
)


def value(number: int) -> dict[str, Any]:
    return {"event_id": f"e{number}", "ts": TS + 1_000 * number, "user_id": "ann", **DONE[number]}


def played(order: Sequence[int], sizes: int) -> tuple[Chain, UserState]:
    """The events by their numbers, an offset each, so many in a batch."""
    chain = Chain()
    records = [record(Topic.CLICKS, at, value(number)) for at, number in enumerate(order)]
    for start in range(0, len(records), sizes):
        some = records[start : start + sizes]
        assert chain.pipeline.run(some, NOW_MS).dead_letters == ()
        assert chain.pipeline.run(some, NOW_MS).states == (), "a redelivery changes nothing"
    user = PSEUDONYMIZER.pseudonym("ann")
    return chain, chain.pipeline._users.read([user])[user]


FIRST = played(range(len(DONE)), 1)[1]


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(len(DONE))),
    st.lists(st.integers(0, len(DONE) - 1), max_size=5),
    st.integers(1, 4),
)
def test_any_order_with_repeats_gives_the_same_user(
    order: list[int], again: list[int], sizes: int
) -> None:
    _, state = played([*order, *again], sizes)
    assert [one.event_id for one in state.history] == [one.event_id for one in FIRST.history]
    assert [one.completion for one in state.history] == [one.completion for one in FIRST.history]
    assert set(state.had) == set(FIRST.had) == {"i0", "i1", "i2", "i3"}
    assert state.events == FIRST.events == len(DONE)
    np.testing.assert_allclose(state.intent, FIRST.intent, atol=1e-5)


@pytest.mark.parametrize("action", ["hide", "report"])
def test_a_hidden_item_is_out_of_the_list_that_answers_it_and_of_all_that_follow(
    action: str,
) -> None:
    chain = Chain()
    said = {"event_id": "e", "ts": TS, "user_id": "ann", "item_id": "i1", "action": action}
    [answer] = chain.pipeline.run([record(Topic.CLICKS, 0, said)], NOW_MS).lists
    assert [one.item_id for one in answer.items] == ["i0", "i2", "i3"]
    later = said | {"event_id": "f", "item_id": "i0", "action": "view"}
    [other] = chain.pipeline.run([record(Topic.CLICKS, 1, later)], NOW_MS).lists
    assert "i1" not in [one.item_id for one in other.items]
    theirs = later | {"event_id": "g", "user_id": "bob"}
    [bobs] = chain.pipeline.run([record(Topic.CLICKS, 2, theirs)], NOW_MS).lists
    assert "i1" in [one.item_id for one in bobs.items]


def test_an_unknown_action_is_a_dead_letter_that_names_them_all() -> None:
    said = {"event_id": "e", "ts": TS, "user_id": "ann", "item_id": "i1", "action": "coment"}
    [letter] = Chain().pipeline.run([record(Topic.CLICKS, 0, said)], NOW_MS).dead_letters
    assert letter.reason == "unknown_value"
    assert ", ".join(Action) in letter.detail
    assert letter.detail.endswith("did you mean comment?")


def test_what_was_played_reaches_the_learner_with_its_share() -> None:
    chain = Chain()
    first, second = value(2), value(2) | {"event_id": "later", "ts": TS + 9_000, "item_id": "i2"}
    effects = chain.pipeline.run(
        [record(Topic.CLICKS, 0, first), record(Topic.CLICKS, 1, second)], NOW_MS
    )
    assert [one.event.completion for one in effects.examples] == [0.25, 0.25]
    assert [one.completion for one in effects.examples[1].history] == [0.25]
    assert not any(one.event.liked or one.tested for one in effects.examples)
