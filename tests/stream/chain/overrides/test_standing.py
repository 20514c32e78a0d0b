"""What overrides come to for a list. The promise: an item that is banned for a list is in no such
list, whatever else was decided, by whatever clock.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.chain.effects import Erasure
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.chain.overrides.standing import Standing
from stream.chain.records import Record
from tests.stream.chain.chain import ITEMS, NOW_MS, PSEUDONYMIZER, Chain, record
from tests.stream.chain.overrides.test_override import BASE
from upwell.controls import OF_QUARANTINE
from upwell.events import Decision, Match, Topic

USERS = ("ann", "bob", "zoé")
SEGMENTS = ("vip", "new")
WORDS = ("red shoes", "shoes", "Cheap RED shoes", "a hat")
T0 = NOW_MS - 1_000


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    scope: dict[str, Any] = draw(
        st.sampled_from(
            [
                {},
                *({"user": PSEUDONYMIZER.pseudonym(user)} for user in USERS),
                *({"segment": one} for one in SEGMENTS),
                *({"query": one, "match": how} for one in WORDS[:2] for how in Match),
            ]
        )
    )
    decision = draw(st.sampled_from([one for one in Decision if one not in OF_QUARANTINE]))
    strong = decision in (Decision.BOOST, Decision.DEMOTE)
    return replace(
        BASE,
        override_id=draw(st.sampled_from([f"o{number}" for number in range(6)])),
        item_id=draw(st.sampled_from(ITEMS)),
        decision=decision,
        boost=2.0 if strong else None,
        priority=draw(st.integers(-1, 1)),
        at=draw(st.integers(0, 3)),
        from_ts=draw(st.none() | st.integers(T0 - 2, T0 + 4)),
        until_ts=draw(st.none() | st.integers(T0 + 3, T0 + 9)),
        **scope,
    )


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, int, str | None]:
    """User, time, and the words of a search; a request has none."""
    return (
        draw(st.sampled_from(USERS)),
        draw(st.integers(T0 - 3, T0 + 10)),
        draw(st.none() | st.sampled_from(WORDS)),
    )


def event(offset: int, user: str, ts: int, words: str | None) -> Record:
    if words is None:
        value: dict[str, Any] = {"user_id": user, "request_id": f"r{offset}", "k": 4, "ts": ts}
        return record(Topic.REQUESTS, offset, value)
    return record(Topic.QUERIES, offset, {"user_id": user, "text": words, "ts": ts})


def banned(some: list[Override], user: str, tags: set[str], ts: int, words: str | None) -> set[str]:
    """By the words of docs/overrides.md, without the code that is tested."""
    holds: dict[str, tuple[Any, ...]] = {}
    for one in some:
        text = " ".join((words or "").casefold().split())
        query = (one.query or "").casefold()
        near = text == query if one.match is Match.EQUALS else f" {query} " in f" {text} "
        covered = (
            one.decision is not Decision.KEEP
            and (one.user in (None, PSEUDONYMIZER.pseudonym(user)))
            and (one.segment is None or one.segment in tags)
            and (one.query is None or (words is not None and near))
            and (one.from_ts is None or one.from_ts <= ts)
            and (one.until_ts is None or ts < one.until_ts)
        )
        order = {Decision.BAN: 2, Decision.PIN: 1}.get(one.decision, 0)
        rank = (one.priority, order, one.at, one.override_id)
        if covered:
            holds[one.item_id] = max(holds.get(one.item_id, rank), rank)
    return {item for item, (_, order, *_rest) in holds.items() if order == 2}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(overrides(), max_size=8),
    st.dictionaries(st.sampled_from(USERS), st.sets(st.sampled_from(SEGMENTS))),
    st.lists(asked(), min_size=1, max_size=5),
    st.booleans(),
)
def test_an_item_that_is_banned_for_a_list_is_not_in_it(
    some: list[Override],
    tags: dict[str, set[str]],
    questions: list[tuple[str, int, str | None]],
    together: bool,
) -> None:
    chain = Chain()
    latest = {one.override_id: one for one in some}
    for seq, one in enumerate(some):
        chain.standing.put(one.override_id, Kept(seq=seq, standing=one))
    pairs = [(user, name) for user, names in tags.items() for name in sorted(names)]
    for offset, (user, name) in enumerate(pairs):
        value = {"kind": "tag_user", "user_id": user, "segment": name, "by": "op", "why": "w"}
        chain.pipeline.run([record(Topic.CONTROLS, offset, value)], NOW_MS)
    records = [event(offset, *one) for offset, one in enumerate(questions)]
    batches = [records] if together else [[one] for one in records]
    lists = [fresh for batch in batches for fresh in chain.pipeline.run(batch, NOW_MS).lists]
    by_trigger = {
        f"r{offset}" if words is None else f"queries-{offset}": (user, ts, words)
        for offset, (user, ts, words) in enumerate(questions)
    }
    assert lists
    for fresh in lists:
        user, ts, words = by_trigger[fresh.trigger]
        not_there = banned(list(latest.values()), user, tags.get(user, set()), ts, words)
        shown = [entry.item_id for entry in fresh.items]
        assert shown == [item for item in ITEMS if item not in not_there][: len(shown)]
        assert len(shown) == min(len(ITEMS) - len(not_there), 4 if words is None else 3)


def test_pins_and_boosts_reach_the_ranker_and_a_request_without_decisions_is_as_it_was() -> None:
    chain = Chain()
    decisions = {"i0": Decision.PIN, "i1": Decision.BOOST, "i2": Decision.DEMOTE}
    for item, decision in decisions.items():
        boost = None if decision is Decision.PIN else 2.0
        user = PSEUDONYMIZER.pseudonym("ann")
        one = replace(BASE, override_id=item, item_id=item, decision=decision, boost=boost)
        chain.standing.put(item, Kept(seq=0, standing=replace(one, user=user)))
    chain.pipeline.run([event(0, "ann", T0, None), event(1, "bob", T0, None)], NOW_MS)
    [[ann, bob]] = chain.ranker.calls
    assert (ann.pinned, ann.boosted) == (("i0",), {"i1": 2.0, "i2": -2.0})
    assert (bob.pinned, bob.boosted, bob.exclude) == ((), {}, ())


def test_an_event_of_unknown_time_counts_by_the_brokers() -> None:
    chain = Chain()
    limited = replace(BASE, item_id="i0", until_ts=NOW_MS - 5)
    chain.standing.put("o", Kept(seq=0, standing=limited))
    effects = chain.pipeline.run([event(0, "ann", 0, None)], NOW_MS)
    assert effects.lists[0].items[0].item_id == "i0"
    chain.standing.put("o", Kept(seq=1, standing=replace(limited, until_ts=NOW_MS - 4)))
    effects = chain.pipeline.run([event(1, "ann", 0, None)], NOW_MS)
    assert effects.lists[0].items[0].item_id == "i1"


@given(st.lists(st.tuples(overrides(), st.sampled_from(["in", "wait", "out"])), max_size=12))
def test_what_was_taken_back_or_waits_has_no_effect_and_leaves_nothing_behind(
    steps: list[tuple[Override, str]],
) -> None:
    standing, held = Standing(), dict[str, Override]()
    for seq, (one, how) in enumerate(steps):
        held.pop(one.override_id, None)
        if how == "in":
            held[one.override_id] = one
            standing.put(one.override_id, Kept(seq=seq, standing=one))
        elif how == "wait":
            standing.put(one.override_id, Kept(seq=seq, waiting=one, needs=1))
        else:
            standing.put(one.override_id, None)
    assert len(standing) == len(held)
    fresh = Standing()
    for override_id, one in held.items():
        fresh.put(override_id, Kept(seq=0, standing=one))
    for user in USERS:
        question = (PSEUDONYMIZER.pseudonym(user), SEGMENTS, WORDS[0], T0)
        assert standing.decisions(*question) == fresh.decisions(*question)
    for override_id in list(standing.kept):
        standing.put(override_id, None)
    inner = (standing._everyone, standing._queries, standing._users, standing._segments)
    assert [len(one) for one in (standing, *inner)] == [0] * 5


def test_overrides_that_name_who_is_forgotten_are_to_be_taken_back() -> None:
    standing = Standing()
    standing.put("a", Kept(seq=0, standing=replace(BASE, user="p1")))
    standing.put("b", Kept(seq=0, waiting=replace(BASE, user="p1"), needs=1))
    standing.put("c", Kept(seq=0, standing=replace(BASE, user="p2")))
    standing.put("d", Kept(seq=0, standing=BASE))
    erasure = Erasure("p1", "controls-0", 4, 1)
    assert standing.naming([erasure]) == (("a", erasure), ("b", erasure))
    assert standing.naming([]) == ()


def test_to_forget_a_user_takes_back_the_overrides_that_name_them() -> None:
    chain = Chain()
    user = PSEUDONYMIZER.pseudonym("ann")
    chain.standing.put("o", Kept(seq=0, standing=replace(BASE, user=user)))
    forget = {"kind": "forget_user", "user_id": "ann", "by": "ann", "why": "w"}
    effects = chain.pipeline.run([record(Topic.CONTROLS, 2, forget)], NOW_MS)
    assert [override_id for override_id, _ in effects.withdrawn] == ["o"]


def test_what_is_decided_about_the_quarantine_changes_no_list_nor_hides_a_ban() -> None:
    chain = Chain()
    ban = replace(BASE, override_id="b", item_id="i0", decision=Decision.BAN)
    chain.standing.put("b", Kept(seq=0, standing=ban))
    for decision in (Decision.RELEASE, Decision.REFUSE):
        one = replace(BASE, override_id="r", item_id="i0", decision=decision, priority=9)
        chain.standing.put("r", Kept(seq=1, standing=one))
        assert chain.standing.decisions("ann", (), None, T0) == {"i0": ban}
    assert chain.standing.kept["r"].standing is not None
