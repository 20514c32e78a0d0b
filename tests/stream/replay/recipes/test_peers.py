"""Peers beside twins in plain dictionaries, over random streams."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.replay.recipes.peers import FavouritesFirst, ItemKNN, Newest, Peer, Popular, Wanted

ITEMS, K = 12, 5
Event = tuple[int, int, int]
STREAMS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, ITEMS - 1), st.integers(0, 9)), max_size=40
)


def stream(raw: Sequence[Event]) -> list[tuple[str, str, int]]:
    """With rising times."""
    now, found = 0, []
    for user, item, gap in raw:
        now += gap
        found.append((f"u{user}", f"i{item}", now))
    return found


def told(peer: Peer, events: Sequence[tuple[str, str, int]]) -> Peer:
    for item in range(ITEMS):
        peer.announce(f"i{item}", item, available=item != 7)
    for event in events:
        peer.see(*event)
    return peer


def wanted(
    at: int, user: str = "u0", history: Sequence[str] = (), out: Sequence[str] = ()
) -> Wanted:
    return Wanted(user, at, history, out, K)


def best(scores: dict[int, float], out: Sequence[str] = ()) -> list[str]:
    """Of equals the one announced first."""
    order = sorted(range(ITEMS), key=lambda item: (-scores.get(item, 0.0), item))
    return [f"i{item}" for item in order if item != 7 and f"i{item}" not in out][:K]


@given(STREAMS, st.integers(0, 50))
def test_what_was_popular_within_the_window_comes_first(raw: list[Event], later: int) -> None:
    events = stream(raw)
    now = (events[-1][2] if events else 0) + later
    counts = Counter(int(item[1:]) for _, item, ts in events if ts >= now - 20)
    listed = told(Popular(20), events).list(wanted(now, out=["i1"]))
    assert listed == best(dict(counts), ["i1"])


def test_what_was_announced_last_comes_first_and_what_is_gone_does_not() -> None:
    peer = told(Newest(), [])
    assert peer.list(wanted(0, out=["i10"])) == ["i11", "i9", "i8", "i6", "i5"]
    peer.announce("i11", 20, available=False)
    peer.announce("i0", 21, available=True)
    assert peer.list(wanted(0))[:2] == ["i0", "i10"]


@given(STREAMS)
def test_neighbours_are_those_that_the_same_users_had(raw: list[Event]) -> None:
    events = stream(raw)
    had: defaultdict[str, set[int]] = defaultdict(set)
    for user, name, _ in events:
        had[user].add(int(name[1:]))
    people = Counter(item for items in had.values() for item in items)
    history = list(dict.fromkeys(name for user, name, _ in reversed(events) if user == "u0"))
    lately = [int(name[1:]) for name in history]
    top = 1.0 + max(people.values(), default=0)
    scores = dict[int, float]()
    for item in range(ITEMS):
        likeness = sum(
            sum(item in items and one in items for items in had.values())
            / math.sqrt(people[one] * max(people[item], 1))
            for one in lately
            if one != item
        )
        scores[item] = round(likeness + 1e-6 * people[item] / top, 5)
    listed = told(ItemKNN(), events).list(wanted(0, history=history))
    assert [scores[int(one[1:])] for one in listed] == [
        scores[int(one[1:])] for one in best(scores)
    ]


def test_what_a_user_took_often_and_lately_comes_before_what_all_took() -> None:
    events = [("u0", "i2", 0), ("u0", "i2", 1), ("u0", "i3", 2)] + [("u1", "i4", 3)] * 9
    peer = told(FavouritesFirst(), events)
    assert peer.list(wanted(4))[:3] == ["i2", "i3", "i4"]
    assert peer.list(wanted(4, user="new"))[:2] == ["i4", "i2"]


@pytest.mark.parametrize("make", [Newest, ItemKNN, FavouritesFirst, lambda: Popular(10)])
def test_more_items_than_there_was_room_for(make: Callable[[], Peer]) -> None:
    peer = make()
    for item in range(2_500):
        peer.announce(f"i{item}", item, available=True)
        peer.see("u", f"i{item}", item)
    assert len(set(peer.list(wanted(2_499, history=["i2499"])))) == K
    assert peer.list(wanted(2_499, out=[f"i{item}" for item in range(2_499)])) == ["i2499"]


@pytest.mark.parametrize("make", [Newest, ItemKNN, FavouritesFirst, lambda: Popular(10)])
def test_being_asked_changes_nothing(make: Callable[[], Peer]) -> None:
    peer = told(make(), [("u0", "i2", 0), ("u1", "i3", 5)])
    asked = wanted(6, user="somebody", history=["i2", "nowhere"], out=["nowhere"])
    assert peer.list(asked) == peer.list(asked)


def test_an_item_that_nobody_announced_is_not_listed() -> None:
    peer = Popular(10)
    peer.see("u", "i", 0)
    assert peer.list(wanted(0)) == []
    peer.announce("i", 1, available=True)
    assert peer.list(wanted(1)) == ["i"]
