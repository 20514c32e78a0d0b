"""What is kept comes back to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.explain.packed import (
    pack,
    pack_entries,
    pack_items,
    pack_lift,
    pack_request,
    pack_rules,
    unpack,
    unpack_entries,
    unpack_items,
    unpack_lift,
    unpack_request,
    unpack_rules,
)
from upwell.knowledge import Rule
from upwell.ports import RankRequest
from upwell.recommendations import Entry, Reason
from upwell.values import CatalogueItem, Interaction, UserState

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
TIME = st.integers(-(2**53), 2**53)


@given(TEXT, TIME, st.lists(st.tuples(TEXT, TIME, TEXT | st.none())), NUMBER, st.data())
def test_a_request(
    user: str,
    at: int,
    events: list[tuple[str, int, str | None]],
    number: float,
    data: st.DataObject,
) -> None:
    drawn = st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3)
    request = RankRequest(
        state=UserState(
            user=user,
            intent=np.array(data.draw(drawn), np.float32),
            intent_ts=at,
            history=tuple(Interaction(a, b, c, "review", number) for a, b, c in events),
            had=tuple(one[0] for one in events),
            events=len(events),
        ),
        k=len(events),
        exclude=tuple(data.draw(st.lists(TEXT))),
        category=data.draw(TEXT | st.none()),
        words=data.draw(TEXT | st.none()),
        reviewed=data.draw(st.booleans()),
        lot=data.draw(TEXT | st.none()),
        worn=data.draw(st.dictionaries(TEXT, NUMBER)),
        pinned=tuple(data.draw(st.lists(TEXT))),
        boosted=data.draw(st.dictionaries(TEXT, NUMBER)),
        at=data.draw(TIME | st.none()),
        list_id=user,
        surface=data.draw(TEXT | st.none()),
    )
    again = unpack_request(pack_request(request))
    np.testing.assert_array_equal(again.state.intent, request.state.intent)
    bare = replace(request, state=replace(request.state, intent=again.state.intent))
    assert again == bare
    assert list(again.worn) == list(request.worn)


def test_a_request_that_was_kept_before_there_were_surfaces() -> None:
    state = UserState("u", np.zeros(2, np.float32))
    told = unpack(pack_request(RankRequest(state=state, k=3, surface="kids")))
    assert told.pop("surface") == "kids"
    again = unpack_request(pack(told))
    assert (again.k, again.surface) == (3, None)


@given(TEXT, NUMBER, NUMBER)
def test_a_list(item: str, score: float, weight: float) -> None:
    reasons = (Reason(signal="intent", weight=weight, because=item, value=item),)
    entries = (
        Entry(item_id=item, score=score, reasons=reasons, propensity=0.25, explored=True),
        Entry(item_id=item, score=score, reasons=(), title=item),
    )
    assert unpack_entries(pack_entries(entries)) == entries


def test_items_with_what_blocks_them() -> None:
    vector = np.array([0.6, -0.8], np.float32)
    items = [
        CatalogueItem(
            item_id="i1", ts=1, title="Ä", vector=vector, revision="r", blocked="abuse", price=0.1
        ),
        CatalogueItem(
            item_id="i0", ts=2, title="B", vector=vector, revision="r", relations=(("a", ("x",)),)
        ),
    ]
    again = unpack_items(pack_items(items))
    for before, after in zip(items, again, strict=True):
        np.testing.assert_array_equal(before.vector, after.vector)
        assert replace(after, vector=before.vector) == before


def test_rules() -> None:
    rules = {"r": Rule(rule_id="r", category="c", months=(1, 12)), "gone": None}
    assert unpack_rules(pack_rules(rules)) == rules


@given(st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 8.0]), max_size=40))
def test_what_bounds_add(lift: list[float]) -> None:
    values = np.array(lift)
    np.testing.assert_array_equal(unpack_lift(pack_lift(values)), values)
