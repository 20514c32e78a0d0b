"""Handing over and taking in, on states alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stream.chain.fold import Bounds, Incoming, empty_state, fold_events
from stream.chain.merge.guest import GUESTS, Merged, MergeRequest, hand_on, hand_over, take_in
from upwell.values import Guest, Interaction, MergedInto, UserState, Vector

BOUNDS = Bounds(3, 100, 1_000.0)
VECTORS = dict(zip("ab", np.eye(3, dtype=np.float32), strict=False))
WORDS = np.array([0, 0, 1], np.float32)


def vector(item: str) -> Vector | None:
    return VECTORS.get(item)


def folded(user: str, *events: Incoming) -> UserState:
    return fold_events(empty_state(user, 3), events, vector, BOUNDS).state


def click(offset: int, item: str) -> Incoming:
    return Incoming(Interaction(f"e{offset}", offset, item, "click", None, "clicks-0", offset))


def asked(user: str = "ann", offset: int = 0) -> MergeRequest:
    return MergeRequest(user, 2, "controls-0", offset, 50, 0)


def handed(state: UserState, request: MergeRequest) -> tuple[UserState, Merged]:
    after, merged = hand_over(state, request, vector, BOUNDS)
    assert merged is not None
    return after, merged


def taken(state: UserState, merged: Merged, offset: int = 0) -> UserState:
    return take_in(state, merged, "rerouted-2", offset, vector, BOUNDS)


def test_what_the_history_no_longer_holds_comes_too() -> None:
    search = Interaction("q", 0, None, "query", None, "queries-0", 0)
    guest = folded("g", Incoming(search, WORDS), *map(click, range(5), "abbbb"))
    after, merged = handed(guest, asked())
    ann = taken(empty_state("ann", 3), merged)
    np.testing.assert_allclose(ann.intent, guest.intent, atol=1e-6)
    assert (ann.events, len(ann.history)) == (6, 3)
    assert sorted(ann.had) == ["a", "b"]
    assert after.merged_into == MergedInto("ann", 2, whole=True)
    assert after.sequence > guest.sequence, "a store refuses what does not grow"


def test_a_whole_that_comes_again_brings_only_what_is_new() -> None:
    after, merged = handed(folded("g", click(0, "a")), asked())
    ann = taken(empty_state("ann", 3), merged)
    assert taken(ann, merged, 1) is ann
    later = fold_events(after, [click(1, "b")], vector, BOUNDS).state
    again, whole = handed(later, asked())
    assert again is later, "the same request changes nothing"
    grown = taken(ann, whole, 2)
    assert [one.event_id for one in grown.history] == ["e0", "e1"]
    np.testing.assert_allclose(grown.intent, later.intent, atol=1e-6)


def test_a_whole_that_comes_again_counts_once_though_the_history_forgot_it() -> None:
    after, merged = handed(folded("g", click(0, "a")), asked())
    ann = taken(empty_state("ann", 3), merged)
    own = [
        replace(one, event=replace(one.event, source="clicks-2"))
        for one in map(click, range(1, 4), "bbb")
    ]
    ann = fold_events(ann, own, vector, BOUNDS).state
    assert [one.event_id for one in ann.history] == ["e1", "e2", "e3"]
    assert taken(ann, handed(after, asked())[1], 1) is ann


def test_what_comes_before_the_whole_waits_for_it() -> None:
    ann = empty_state("ann", 3)
    after, _ = handed(folded("g"), asked())
    assert after.merged_into is not None
    assert taken(ann, hand_on(after.merged_into, "g", 0, [click(1, "b")], 60)) is ann


def test_another_user_gets_nothing_of_before_and_an_old_request_says_nothing() -> None:
    after, _ = handed(folded("g", click(0, "a")), asked())
    moved, merged = handed(after, asked("bob", 1))
    assert (merged.events, merged.had, merged.rest, merged.more) == ((), (), None, 0)
    assert hand_over(moved, asked("ann", 0), vector, BOUNDS) == (moved, None)
    again, repeated = handed(moved, asked("bob", 1))
    assert again is moved
    assert repeated == merged
    back, start = handed(moved, asked("ann", 2))
    assert (start.events, back.merged_into) == ((), MergedInto("ann", 2, whole=False))


def test_guests_of_a_guest_are_known_to_be_forgotten_and_the_oldest_leave() -> None:
    known = {f"g{n}": Guest(1, {"clicks-1": n}) for n in range(GUESTS)}
    guest = replace(folded("g", click(0, "a")), merged={"first": Guest(3, {"clicks-3": 9})})
    ann = taken(replace(empty_state("ann", 3), merged=known), handed(guest, asked())[1])
    assert len(ann.merged) == GUESTS
    forgotten = replace(ann, merged={})
    assert taken(forgotten, handed(guest, asked())[1]) is forgotten, "delivered again"
    assert list(ann.merged)[-1] == "g"
    alone = taken(empty_state("ann", 3), handed(guest, asked())[1])
    assert alone.merged["first"] == Guest(3, {})
