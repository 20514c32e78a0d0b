"""Laws of merging a guest into who logged in, on whole workers that share a store: whatever the
order, whatever comes again, the user is who all the events would have made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.memory import MemoryStore
from stream.broker.topics import partition_of
from stream.chain.effects import Effects, Erasure
from stream.chain.fences import Fence
from stream.chain.records import Record
from tests.stream.chain.chain import ENCODER, NOW_MS, PARTITIONS, PSEUDONYMIZER, Chain, record
from upwell.events import Topic
from upwell.values import UserState

USER = "ann"
HOME = partition_of(b"ann", PARTITIONS)
NEAR = next(f"g{n}" for n in range(99) if partition_of(f"g{n}".encode(), PARTITIONS) == HOME)
FAR = next(f"g{n}" for n in range(99) if partition_of(f"g{n}".encode(), PARTITIONS) != HOME)
AWAY = partition_of(FAR.encode(), PARTITIONS)


class Cluster:
    """A worker a partition on one store, and `rerouted` between them. crash: each batch is stored
    and not published, and comes again to a fresh worker.
    """

    def __init__(self) -> None:
        self.store = MemoryStore(ENCODER.dimension)
        self.workers = [Chain(self.store) for _ in range(PARTITIONS)]
        self.waiting: list[Record] = []
        self.offsets = [0] * PARTITIONS
        self.done: list[Record] = []
        self.effects: list[Effects] = []
        self.at = NOW_MS

    def send(self, records: Iterable[Record], crash: bool = False, deliver: bool = True) -> None:
        """Each worker's records as one batch, then all that they send each other."""
        records = list(records)
        for number, worker in enumerate(self.workers):
            if own := [one for one in records if one.partition == number]:
                if crash:
                    worker.pipeline.run(own, NOW_MS)
                    worker = self.workers[number] = Chain(self.store)
                self._take(worker.pipeline.run(own, NOW_MS))
        self.done += records
        while deliver and self.waiting:
            sent, self.waiting = self.waiting, []
            self.send(sent, crash)

    def _take(self, effects: Effects) -> None:
        self.effects.append(effects)
        for one in effects.rerouted:
            away, key = one.partition, one.key or b""
            partition = partition_of(key, PARTITIONS) if away is None else away
            offset = self.offsets[partition]
            self.offsets[partition] += 1
            self.at += 1
            self.waiting.append(
                Record(Topic.REROUTED, partition, offset, one.value, self.at, one.key)
            )

    def count(self, name: str) -> int:
        return sum(one.counts[name] for one in self.effects)

    def erased(self) -> set[tuple[str, int]]:
        return {(one.user, one.partition) for effects in self.effects for one in effects.erasures}

    def state(self, user: str) -> UserState:
        state = self.workers[0].state(user)
        assert state is not None
        return state


class Log:
    """Events of several users in the order in which they happened, each numbered in its topic's
    partition.
    """

    def __init__(self) -> None:
        self.offsets: dict[tuple[Topic, int], int] = {}
        self.number = 0

    def __call__(self, topic: Topic, user: str, **value: object) -> Record:
        key = str(value.get("from_user", user)).encode()
        partition = partition_of(key, PARTITIONS)
        offset = self.offsets.get((topic, partition), 0)
        self.offsets[topic, partition] = offset + 1
        self.number += 1
        stamp = {"event_id": f"e{self.number}", "ts": NOW_MS - 10_000 + self.number}
        return record(
            topic,
            offset,
            {**stamp, "user_id": user, **value},
            partition=partition,
            appended_ms=NOW_MS - 9_000 + self.number,
        )

    def click(self, user: str, item: str, **more: object) -> Record:
        return self(Topic.CLICKS, user, item_id=item, **{"action": "click", **more})

    def merge(self, guest: str, into: str = USER) -> Record:
        return self(Topic.CONTROLS, into, kind="merge_user", from_user=guest, by="app", why="login")

    def forget(self, user: str) -> Record:
        return self(Topic.CONTROLS, user, kind="forget_user", by="op", why="asked to")

    def some(self, user: str) -> list[Record]:
        """Of every kind, an opinion that is taken back and an item nobody announced among them."""
        return [
            self.click(user, "i0"),
            self(Topic.QUERIES, user, text="a space station"),
            self(Topic.REVIEWS, user, item_id="i1", rating=5.0, text="slow and deep"),
            self.click(user, "unannounced", action="purchase"),
            self.click(user, "i1", action="unlike"),
            self(Topic.REVIEWS, user, item_id="i2", rating=1.0),
        ]


def as_one(events: Sequence[Record], guest: str) -> UserState:
    """The state that the events would have made, had they all been the user's own."""
    chain = Chain()
    for offset, one in enumerate(events):
        assert one.value is not None
        value = one.value.replace(f'"{guest}"'.encode(), f'"{USER}"'.encode())
        own = replace(one, partition=HOME, offset=offset, value=value)
        chain.pipeline.run([own], NOW_MS)
    state = chain.state(USER)
    assert state is not None
    return state


def same(found: UserState, right: UserState) -> None:
    def facts(state: UserState) -> object:
        history = [
            (one.event_id, one.ts, one.item_id, one.kind, one.rating) for one in state.history
        ]
        waiting = sorted((one.item_id, one.ts, one.weight) for one in state.pending)
        return history, sorted(state.had), state.events, waiting

    assert facts(found) == facts(right)
    assert found.intent_ts == right.intent_ts
    np.testing.assert_allclose(found.intent, right.intent, atol=1e-5)


@pytest.mark.parametrize("guest", [NEAR, FAR])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_in_any_order_with_crashes_and_redeliveries_the_user_is_who_all_events_would_have_made(
    guest: str, data: st.DataObject
) -> None:
    log, cluster = Log(), Cluster()
    events = [*log.some(guest), *log.some(USER), log.click(guest, "i3"), log.click(USER, "i1")]
    merge = log.merge(guest)
    places = {
        topic: [one for one in events if one.topic is topic]
        for topic in (Topic.CLICKS, Topic.QUERIES, Topic.REVIEWS)
    } | {Topic.CONTROLS: [merge]}
    while any(places.values()):
        topic = data.draw(st.sampled_from([one for one, left in places.items() if left]))
        size = data.draw(st.integers(1, 3))
        batch, places[topic] = places[topic][:size], places[topic][size:]
        again = data.draw(st.integers(0, 4))
        if again == 1:
            batch = [*cluster.done[-3:], *batch]
        cluster.send(batch, crash=again == 2, deliver=data.draw(st.booleans()))
    cluster.send([])
    same(cluster.state(USER), as_one(events, guest))
    assert set(cluster.state(USER).merged) == {PSEUDONYMIZER.pseudonym(guest)}


def test_all_again_changes_nothing_and_is_merged_once() -> None:
    log, cluster = Log(), Cluster()
    cluster.send([*log.some(FAR), *log.some(USER), log.merge(FAR)])
    state = cluster.state(USER)
    cluster.send(cluster.done)
    assert cluster.state(USER) is state
    assert cluster.count("merged") == 1
    assert b'"ann"' not in b"".join(one.value for all_ in cluster.effects for one in all_.rerouted)


def test_the_learner_has_each_event_once_as_the_guest_s() -> None:
    log, cluster = Log(), Cluster()
    cluster.send([*(guest := log.some(FAR)), log.merge(FAR), log.click(FAR, "i3")])
    examples = [one for all_ in cluster.effects for one in all_.examples]
    assert {one.user for one in examples} == {PSEUDONYMIZER.pseudonym(FAR)}
    assert len({one.event.event_id for one in examples}) == len(examples) == len(guest) - 2 + 1


def test_events_sent_again_under_the_new_id_count_once_before_and_after_the_merge() -> None:
    log, cluster = Log(), Cluster()
    clicks = [log.click(FAR, f"i{n}") for n in range(4)]
    own = [log.click(USER, f"i{n}", event_id=f"e{n + 1}", ts=NOW_MS - 9_999 + n) for n in range(4)]
    cluster.send([*clicks, *own[:2], log.merge(FAR)])
    cluster.send(own[2:])
    same(cluster.state(USER), as_one(clicks, FAR))
    assert cluster.count("duplicates") == 2


def test_a_request_keyed_by_the_user_is_sent_on_to_the_guest() -> None:
    log, cluster = Log(), Cluster()
    events, merge = log.some(FAR), log.merge(FAR)
    cluster.send(events)
    cluster.send([replace(merge, partition=HOME)])
    same(cluster.state(USER), as_one(events, FAR))
    assert cluster.count("rerouted") == 1


def test_a_guest_whom_nobody_knows_does_no_harm_and_brings_what_comes_late() -> None:
    log, cluster = Log(), Cluster()
    own = log.some(USER)
    cluster.send([*own, log.merge(FAR)])
    same(cluster.state(USER), as_one(own, FAR))
    late = [log.click(FAR, "i3")]
    cluster.send(late)
    same(cluster.state(USER), as_one([*own, *late], FAR))


def test_two_guests_and_one_who_was_two_users_in_turn() -> None:
    log, cluster = Log(), Cluster()
    first, other = [log.click(FAR, "i0")], [log.click(NEAR, "i1")]
    cluster.send([*first, *other, log.merge(FAR), log.merge(NEAR)])
    assert {one.item_id for one in cluster.state(USER).history} == {"i0", "i1"}
    cluster.send([log.merge(FAR, "bob")], crash=True)
    cluster.send([log.click(FAR, "i2")])
    assert [one.item_id for one in cluster.state("bob").history] == ["i2"], "the rest is ann's"
    assert {one.item_id for one in cluster.state(USER).history} == {"i0", "i1"}


@pytest.mark.parametrize("crash", [False, True])
def test_who_forgets_the_user_forgets_the_guests(crash: bool) -> None:
    log, cluster = Log(), Cluster()
    cluster.send(
        [*log.some(FAR), *log.some(NEAR), *log.some(USER), log.merge(FAR), log.merge(NEAR)]
    )
    cluster.send([log.forget(USER)], crash=crash)
    assert [cluster.workers[0].state(one) for one in (USER, FAR, NEAR)] == [None] * 3
    assert cluster.erased() == {
        (PSEUDONYMIZER.pseudonym(USER), HOME),
        (PSEUDONYMIZER.pseudonym(NEAR), HOME),
        (PSEUDONYMIZER.pseudonym(FAR), AWAY),
    }
    asked = [one for effects in cluster.effects for one in effects.erasures]
    assert [one.guest for one in asked if one.states] == ([True] * 2 + [False] if not crash else [])
    assert asked[-1].user == PSEUDONYMIZER.pseudonym(USER), "the guests first: then it is done"
    cluster.send(cluster.done)
    assert [cluster.workers[0].state(one) for one in (USER, FAR, NEAR)] == [None] * 3
    cluster.send([log.click(FAR, "i0"), log.click(USER, "i1")])
    assert [one.item_id for one in cluster.state(USER).history] == ["i1"]
    assert [one.item_id for one in cluster.state(FAR).history] == ["i0"]


@pytest.mark.parametrize("has_guests", [False, True])
def test_a_merge_on_its_way_does_not_bring_a_forgotten_user_back(has_guests: bool) -> None:
    log, cluster = Log(), Cluster()
    cluster.send([*log.some(FAR), *log.some(USER)])
    if has_guests:
        cluster.send([log.click(NEAR, "i0"), log.merge(NEAR)])
    cluster.send([log.merge(FAR)], deliver=False)
    cluster.send([log.forget(USER)], deliver=False)
    cluster.send([])
    assert [cluster.workers[0].state(one) for one in (USER, FAR)] == [None] * 2
    assert (PSEUDONYMIZER.pseudonym(FAR), AWAY) in cluster.erased()


def test_a_guest_who_was_forgotten_before_brings_nothing_and_afterwards_is_the_user_s() -> None:
    log, cluster = Log(), Cluster()
    cluster.send([*log.some(FAR), *(own := log.some(USER))])
    cluster.send([log.forget(FAR)])
    cluster.send([log.merge(FAR)])
    same(cluster.state(USER), as_one(own, FAR))
    cluster.send([late := log.click(FAR, "i3")])
    cluster.send([log.forget(FAR)])
    assert cluster.workers[0].state(FAR) is None
    same(cluster.state(USER), as_one([*own, late], FAR))


def test_a_fence_from_controls_waits_for_the_guests_to_be_told() -> None:
    log, cluster = Log(), Cluster()
    cluster.send([*log.some(FAR), *log.some(USER), log.merge(FAR)])
    forget = log.forget(USER)
    user = PSEUDONYMIZER.pseudonym(USER)
    cluster.workers[HOME].pipeline.fence(
        {user: Fence(forget.appended_ms, forget.source, forget.offset)}
    )
    cluster.send([log.click(USER, "i3")])
    assert cluster.state(USER).merged, "the worker still knows whom to tell"
    cluster.send([forget])
    assert [cluster.workers[0].state(one) for one in (USER, FAR)] == [None] * 2
    request = Erasure(user, forget.source, forget.offset, states=1, home=HOME)
    assert request in [one for all_ in cluster.effects for one in all_.erasures]
