"""Whom an override is for and when, and which of two holds."""

from __future__ import annotations

from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.overrides.override import Override, stronger
from upwell.events import Decision, Match

BASE = Override(
    override_id="o", item_id="i", decision=Decision.BAN, by="b", why="w", event_id="e", at=5
)


def overrides() -> st.SearchStrategy[Override]:
    return st.builds(
        replace,
        st.just(BASE),
        override_id=st.sampled_from("opq"),
        decision=st.sampled_from(Decision),
        priority=st.integers(-2, 2),
        at=st.integers(0, 3),
    )


@given(st.lists(overrides(), min_size=1, max_size=6), st.randoms())
def test_which_holds_does_not_depend_on_the_order(some: list[Override], random: object) -> None:
    found = some[0]
    for one in some:
        found = stronger(found, one)
    other = some[-1]
    for one in reversed(some):
        other = stronger(other, one)
    rank = {Decision.PIN: 1, Decision.REFUSE: 1, Decision.BAN: 2}
    best = max((one.priority, rank.get(one.decision, 0), one.at) for one in some)
    assert (found.priority, rank.get(found.decision, 0), found.at) == best
    assert other.override_id == found.override_id or other == found


def test_the_time_is_from_the_first_and_before_the_second_millisecond() -> None:
    one = replace(BASE, from_ts=10, until_ts=20)
    held = [at for at in (9, 10, 19, 20) if one.covers("u", (), None, at)]
    assert held == [10, 19]
    assert BASE.covers("u", (), None, 0)


def test_it_is_for_everyone_or_for_one_user_one_segment_or_searches() -> None:
    assert BASE.covers("u", (), None, 0)
    user = replace(BASE, user="u")
    assert user.covers("u", (), "x", 0)
    assert not user.covers("v", (), None, 0)
    segment = replace(BASE, segment="vip")
    assert segment.covers("u", ["new", "vip"], None, 0)
    assert not segment.covers("u", ["VIP"], None, 0)
    search = replace(BASE, query="red shoes", match=Match.EQUALS)
    assert search.covers("u", (), "RED shoes", 0)
    assert not search.covers("u", (), "red shoes 40", 0)
    assert not search.covers("u", (), None, 0)


def test_it_comes_back_from_json_and_adds_what_it_says() -> None:
    full = replace(BASE, decision=Decision.DEMOTE, boost=2.5, query="q", from_ts=1, priority=-1)
    assert Override.of(orjson.loads(orjson.dumps(full.values()))) == full
    assert Override.of({**BASE.values(), "needs": 1}) == BASE
    assert (full.added, replace(full, decision=Decision.BOOST).added, BASE.added) == (-2.5, 2.5, 0)
