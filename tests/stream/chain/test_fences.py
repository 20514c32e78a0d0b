"""Requests to forget in, fences out; a state that began before its fence begins anew; fences follow
the topics' retention, and none goes that could still hide something.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.broker.topics import partition_of, partitioner
from stream.chain.effects import Forgotten
from stream.chain.fences import (
    DAY_MS,
    FEWEST,
    Fence,
    Fences,
    begun_after,
    fences_carried_out,
    fences_on_controls,
    newest_fences,
)
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import BroadcastRecord
from upwell.values import UserState

PARTITIONS = 4
PSEUDONYMS = Pseudonymizer(bytes(32))
ANN, BOB = "ann", "bob"
TS = 1_700_000_000_000

fences = st.builds(
    Fence,
    st.integers(0, 9),
    st.sampled_from(["controls-0", "controls-1"]),
    st.integers(0, 9),
    st.booleans(),
    st.integers(-1, 9),
)
known = st.dictionaries(st.sampled_from(["u", "v", "w"]), fences)


def request(
    user_id: str, offset: int, *, kind: str = "forget_user", away: int = 0
) -> BroadcastRecord:
    """On the user's own partition, or so many beside it."""
    value = {
        "event_id": f"c{offset}",
        "ts": TS,
        "kind": kind,
        "by": "op",
        "why": "w",
    }
    who = {"user_id": user_id} if kind == "forget_user" else {"item_id": user_id}
    partition = (partition_of(user_id.encode(), PARTITIONS) + away) % PARTITIONS
    raw = json.dumps({**value, **who}).encode()
    return BroadcastRecord(partition, offset, user_id.encode(), raw, {}, TS + offset)


def found(*records: BroadcastRecord) -> dict[str, Fence]:
    return fences_on_controls(records, PSEUDONYMS, partitioner(PARTITIONS))


def test_a_request_is_a_fence_of_the_pseudonym() -> None:
    asked = request(ANN, 3)
    fence = Fence(asked.appended_ms, f"controls-{asked.partition}", 3)
    assert found(asked) == {PSEUDONYMS.pseudonym(ANN): fence}


def test_the_newest_request_of_a_user_counts() -> None:
    fences_of = found(request(ANN, 3), request(BOB, 4), request(ANN, 5), request(ANN, 1))
    assert {user: fence.offset for user, fence in fences_of.items()} == {
        PSEUDONYMS.pseudonym(ANN): 5,
        PSEUDONYMS.pseudonym(BOB): 4,
    }


def test_one_on_another_partition_hides_and_counts_where_it_is_sent_on_to() -> None:
    astray = request(ANN, 3, away=1)
    [fence] = found(astray).values()
    assert fence.hides(astray.appended_ms)
    assert not fence.hides(astray.appended_ms + 1)
    state = UserState("u", np.ones(2, np.float32), watermark={"clicks-0": 1})
    assert begun_after(state, fence) is state


def test_one_astray_does_not_take_the_place_of_one_that_a_state_is_to_begin_after() -> None:
    older, astray = request(ANN, 3), request(ANN, 9, away=1)
    [fence] = found(astray, older).values()
    assert (fence.offset, fence.hides(astray.appended_ms)) == (3, True)
    fences = Fences(lambda: None)
    for one in (found(older), found(astray)):
        fences.add(one)
    assert list(fences.of([PSEUDONYMS.pseudonym(ANN)]).values()) == [fence]


def test_other_controls_and_what_is_none_are_no_fences() -> None:
    torn = BroadcastRecord(0, 1, b"ann", b"{", {}, 1)
    empty = BroadcastRecord(0, 2, b"ann", None, {}, 1)
    merge = request(ANN, 3, away=0)
    assert merge.value is not None
    asks = json.loads(merge.value) | {"kind": "merge_user", "from_user": "guest"}
    merge = replace(merge, value=json.dumps(asks).encode())
    assert found(request("i1", 0, kind="ban_item"), torn, empty, merge) == {}


@given(fences, st.integers(0, 9), st.integers(0, 9))
def test_what_was_appended_before_the_hidden_is_hidden_too(
    fence: Fence, one: int, other: int
) -> None:
    if fence.hides(max(one, other)):
        assert fence.hides(min(one, other))
    assert fence.hides(fence.appended_ms)
    assert not fence.hides(fence.until_ms + 1)


@given(known, known, known)
def test_the_newest_are_the_same_in_any_order_and_however_often(
    one: dict[str, Fence], other: dict[str, Fence], third: dict[str, Fence]
) -> None:
    newest = newest_fences(one, other, third)
    assert newest == newest_fences(third, other, one, third)
    assert newest == newest_fences(newest_fences(one, other), third)
    assert set(newest) == {*one, *other, *third}
    assert all(
        newest[user] >= fence and newest[user].hides(fence.until_ms)
        for part in (one, other, third)
        for user, fence in part.items()
    )


@given(fences, st.dictionaries(st.sampled_from(["controls-0", "clicks-0"]), st.integers(0, 9)))
def test_a_state_begins_anew_once(fence: Fence, watermark: dict[str, int]) -> None:
    before = UserState("u", np.ones(2, np.float32), events=5, had=("i",), watermark=watermark)
    after = begun_after(before, fence)
    if not fence.removes or watermark.get(fence.source, -1) >= fence.offset:
        assert after is before
    else:
        assert (after.user, after.events, after.had) == ("u", 0, ())
        assert after.intent.tolist() == [0.0, 0.0]
        assert after.watermark == {fence.source: fence.offset}
    assert begun_after(after, fence) is after
    assert begun_after(before, None) is before


WEEK_MS = 7 * DAY_MS


def fence_at(at: int) -> Fence:
    return Fence(at, "controls-0", at)


def test_memory_follows_the_retention_whatever_was_forgotten_before() -> None:
    """A new user asks every five minutes for half a year; the topics keep a week, and `rerouted`
    what had been on them for a week.
    """
    pause, now = 300_000, 0
    fences = Fences(lambda: now - WEEK_MS)
    kept = (2 * WEEK_MS + DAY_MS) // pause
    most = 0
    for number in range(26 * WEEK_MS // pause):
        now = number * pause
        fences.add({f"u{number}": fence_at(now)})
        most = max(most, len(fences))
    assert kept <= len(fences) <= most <= 2 * kept + 2


def test_few_fences_ask_nothing_of_the_broker() -> None:
    def asked() -> int:
        raise AssertionError

    fences = Fences(asked)
    for number in range(FEWEST - 1):
        fences.add({f"u{number}": fence_at(number)})
    assert len(fences) == FEWEST - 1


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_no_fence_goes_as_long_as_a_topic_holds_something_as_old(data: st.DataObject) -> None:
    now, oldest = 100 * DAY_MS, 0
    fences = Fences(lambda: oldest)
    asked: dict[str, int] = {}
    for batch in range(4):
        now += data.draw(st.integers(0, 5 * DAY_MS), "time passes")
        oldest = data.draw(st.integers(oldest, now), "topics lose what is older")
        step = {f"u{batch}-{number}": fence_at(now + number) for number in range(FEWEST)}
        step["again"] = fence_at(now)
        fences.add(step)
        asked |= {user: one.appended_ms for user, one in step.items()}
        reach = max(now + FEWEST - 1 - oldest, 0)  # on its topic so long, then on `rerouted`
        needed = {user for user, at in asked.items() if at >= oldest - reach}
        found = fences.of(asked)
        assert needed <= found.keys()
        assert all(found[user] == fence_at(asked[user]) for user in needed)


def test_where_no_topic_holds_anything_all_stay() -> None:
    fences = Fences(lambda: None)
    fences.add({f"u{number}": fence_at(0) for number in range(2 * FEWEST)})
    assert len(fences) == 2 * FEWEST


def test_an_older_request_that_comes_again_does_not_take_a_newer_one_s_place() -> None:
    fences = Fences(lambda: None)
    fences.add({"ann": fence_at(5)})
    fences.add({"ann": fence_at(3)})
    assert fences.of(["ann", "bob"]) == {"ann": fence_at(5)}


ledgers = st.lists(
    st.builds(
        Forgotten,
        st.sampled_from(["u", "v"]),
        st.integers(0, 9),
        st.sampled_from(["controls-0", "rerouted-1"]),
        st.integers(0, 9),
        st.integers(0, 3),
    )
)


@given(ledgers)
def test_what_was_carried_out_hides_what_is_older_and_lets_states_be(
    ledger: list[Forgotten],
) -> None:
    found = fences_carried_out(ledger)
    state = UserState("u", np.ones(2, np.float32), events=5, watermark={"clicks-0": 3})
    assert found.keys() == {one.user for one in ledger}
    for user, fence in found.items():
        newest = max(one.appended_ms for one in ledger if one.user == user)
        assert fence.hides(newest)
        assert not fence.hides(newest + 1)
        assert begun_after(state, fence) is state


@given(ledgers.filter(bool), st.booleans())
def test_a_request_that_stands_on_controls_still_removes_what_the_ledger_has(
    ledger: list[Forgotten], before: bool
) -> None:
    """A worker that was taken for dead may have brought a state back."""
    one = max((entry for entry in ledger if entry.user == ledger[0].user), key=lambda e: e.order)
    asked = {one.user: Fence(one.appended_ms, one.source, one.offset)}
    both = (asked, fences_carried_out(ledger))
    joined = newest_fences(*(both if before else reversed(both)))[one.user]
    assert joined == asked[one.user]
    assert begun_after(UserState(one.user, np.ones(2, np.float32), events=5), joined).events == 0
