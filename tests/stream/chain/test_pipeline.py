"""The chain of users' events over plain ports: records in, effects out, states written, nothing
counted twice, nothing personal kept.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.ranking.explore import draw
from store.memory import MemoryStore
from stream.broker.topics import partition_of
from stream.chain.effects import Effects
from stream.chain.records import Record
from stream.chain.wire import decode_rerouted, encode_rerouted
from tests.stream.chain.chain import NOW_MS, PARTITIONS, PSEUDONYMIZER, Chain, record
from upwell.errors import StoreError
from upwell.events import Topic
from upwell.values import UserState


def click(user: str, item: str, offset: int, **more: object) -> Record:
    return record(
        Topic.CLICKS, offset, {"user_id": user, "item_id": item, "action": "click", **more}
    )


def review(user: str, item: str, offset: int, text: str, **more: object) -> Record:
    return record(Topic.REVIEWS, offset, {"user_id": user, "item_id": item, "text": text, **more})


def query(user: str, text: str, offset: int) -> Record:
    return record(Topic.QUERIES, offset, {"user_id": user, "text": text})


def request(user: str, offset: int, **more: object) -> Record:
    return record(Topic.REQUESTS, offset, {"user_id": user, "request_id": f"r{offset}", **more})


def retold(effects: Effects) -> list[Record]:
    """The events that were sent on, as they arrive on `rerouted`."""
    return [
        Record(
            Topic.REROUTED, partition_of(stray.key or b"", PARTITIONS), number, stray.value, NOW_MS
        )
        for number, stray in enumerate(effects.rerouted)
    ]


def shown(effects: Effects) -> list[tuple[str, str, list[str]]]:
    return [
        (fresh.user_id, fresh.trigger, [entry.item_id for entry in fresh.items])
        for fresh in effects.lists
    ]


def test_the_first_events_of_a_topic_made_anew_are_no_redelivered_ones() -> None:
    chain = Chain()
    for number, incarnation in enumerate(("", "aa", "bb")):  # an older version's, then two ids
        first = replace(click("ann", "i0", 0, event_id=f"e{number}"), incarnation=incarnation)
        effects = chain.pipeline.run([first], NOW_MS)
        chain.pipeline.run([first], NOW_MS)  # redelivered
        assert [one.event.event_id for one in effects.examples] == [f"e{number}"]
        state = chain.state("ann")
        assert state is not None
        assert state.events == number + 1
        assert len(state.watermark) == number + 1
    old_retry = replace(click("ann", "i0", 1, event_id="e0"), incarnation="bb")
    assert chain.pipeline.run([old_retry], NOW_MS).counts["duplicates"] == 1


def test_each_touched_user_gets_one_list_for_the_newest_event_without_what_they_had() -> None:
    chain = Chain()
    effects = chain.pipeline.run(
        [click("ann", "i0", 0), click("bob", "i2", 1), click("ann", "i1", 2)], NOW_MS
    )
    assert shown(effects) == [
        ("ann", "clicks-2", ["i2", "i3"]),
        ("bob", "clicks-1", ["i0", "i1", "i3"]),
    ]
    assert len(chain.ranker.calls) == 1
    assert effects.counts["lists"] == 2
    assert [(fresh.model_version, fresh.appended_ms) for fresh in effects.lists] == [
        ("noting-1", NOW_MS - 5)
    ] * 2


def test_a_list_covers_all_of_its_users_events() -> None:
    chain = Chain()
    first, second = click("ann", "i0", 0), review("ann", "i1", 4, "good", rating=5)
    effects = chain.pipeline.run([first, second], NOW_MS)
    assert effects.lists[0].covers == {
        f"clicks-{first.partition}": 0,
        f"reviews-{second.partition}": 4,
    }


def test_a_list_id_is_the_same_whenever_it_is_made_and_another_for_another_user() -> None:
    ids = [
        Chain().pipeline.run([click(user, "i0", 0)], NOW_MS).lists[0].list_id
        for user in ("ann", "ann", "bob")
    ]
    assert ids[0] == ids[1] != ids[2]


def test_a_request_is_answered_as_it_asks() -> None:
    chain = Chain()
    asked = request("ann", 3, k=2, exclude=["i0"], category="comedy")
    effects = chain.pipeline.run([asked], NOW_MS)
    assert shown(effects) == [("ann", "r3", ["i1", "i2"])]
    [[seen]] = chain.ranker.calls
    assert (seen.k, seen.exclude, seen.category) == (2, ("i0",), "comedy")
    assert chain.state("ann") is None


def test_a_request_next_to_a_click_gets_its_own_list_that_knows_the_click() -> None:
    effects = Chain().pipeline.run([request("ann", 0), click("ann", "i0", 0)], NOW_MS)
    assert shown(effects) == [
        ("ann", "r0", ["i1", "i2", "i3"]),
        ("ann", "clicks-0", ["i1", "i2", "i3"]),
    ]


def test_a_records_fault_is_a_dead_letter_and_the_others_go_on() -> None:
    broken = record(Topic.CLICKS, 7, b'{"event_id": ', partition=2)
    tombstone = Record(Topic.REVIEWS, 1, 8, None, NOW_MS)
    effects = Chain().pipeline.run([broken, click("ann", "i0", 0), tombstone], NOW_MS)
    assert [
        (one.reason, one.topic, one.partition, one.offset, one.raw) for one in effects.dead_letters
    ] == [
        ("truncated", "clicks", 2, 7, b'{"event_id": '),
        ("tombstone", "reviews", 1, 8, b""),
    ]
    assert len(effects.lists) == 1
    assert (effects.counts["events"], effects.counts["dead_letters"]) == (3, 2)


@given(
    st.sampled_from([Topic.CLICKS, Topic.REVIEWS, Topic.REQUESTS, Topic.CONTROLS, Topic.REROUTED]),
    st.none() | st.binary(),
)
def test_no_bytes_on_any_topic_stop_the_chain(topic: Topic, raw: bytes | None) -> None:
    effects = Chain().pipeline.run([Record(topic, 0, 0, raw, NOW_MS)], NOW_MS)
    assert len(effects.dead_letters) == 1
    assert effects.dead_letters[0].topic == topic


def test_a_fault_inside_a_rerouted_record_is_told_where_it_stands() -> None:
    raw = b"clicks\n{"
    [letter] = (
        Chain().pipeline.run([Record(Topic.REROUTED, 3, 9, raw, NOW_MS)], NOW_MS).dead_letters
    )
    assert (letter.topic, letter.partition, letter.offset, letter.raw) == ("rerouted", 3, 9, raw)


def test_an_event_on_another_users_partition_is_sent_on_and_taken_by_its_owner_once() -> None:
    chain = Chain()
    own = partition_of(b"ann", PARTITIONS)
    stray = record(
        Topic.CLICKS,
        0,
        {"user_id": "ann", "item_id": "i0", "action": "click"},
        partition=(own + 1) % PARTITIONS,
    )
    effects = chain.pipeline.run([stray], NOW_MS)
    assert (effects.lists, effects.states, effects.examples) == ((), (), ())
    assert [one.key for one in effects.rerouted] == [b"ann"]
    assert decode_rerouted(effects.rerouted[0].value) == (Topic.CLICKS, stray.value)

    taken = chain.pipeline.run(retold(effects), NOW_MS)
    assert taken.rerouted == ()
    assert shown(taken) == [("ann", "clicks-0", ["i1", "i2", "i3"])]
    assert [example.source for example in taken.examples] == [f"rerouted-{own}"]

    again = chain.pipeline.run(
        [stray], NOW_MS
    )  # delivered again, so sent on again, at the next offset
    once_more = [Record(Topic.REROUTED, own, 1, one.value, NOW_MS) for one in retold(again)]
    late = chain.pipeline.run(once_more, NOW_MS)
    assert (late.lists, late.examples, late.counts["duplicates"]) == ((), (), 1)
    state = chain.state("ann")
    assert state is not None
    assert state.events == 1


def test_what_was_sent_on_is_never_sent_on_again() -> None:
    """Else an event would travel for ever where an app counts partitions otherwise."""
    event = click("ann", "i0", 0).value or b""
    astray = Record(
        Topic.REROUTED,
        (partition_of(b"ann", PARTITIONS) + 1) % PARTITIONS,
        0,
        encode_rerouted(Topic.CLICKS, event),
        NOW_MS,
    )
    effects = Chain().pipeline.run([astray], NOW_MS)
    assert (len(effects.rerouted), len(effects.lists)) == (0, 1)


def test_after_a_restart_the_history_still_tells_a_retry() -> None:
    chain = Chain()
    own = partition_of(b"ann", PARTITIONS)
    chain.pipeline.run([click("ann", "i0", 0)], NOW_MS)
    retry = Record(Topic.CLICKS, own, 5, click("ann", "i0", 0).value, NOW_MS)
    restarted = Chain(chain.store)
    effects = restarted.pipeline.run([retry], NOW_MS)
    assert (effects.states, effects.examples, effects.counts["duplicates"]) == ((), (), 1)


def test_only_the_list_carries_the_apps_id() -> None:
    chain = Chain()
    effects = chain.pipeline.run(
        [click("ann@example.com", "i0", 0), review("ann@example.com", "i1", 1, "nice")], NOW_MS
    )
    pseudonym = PSEUDONYMIZER.pseudonym("ann@example.com")
    assert [state.user for state in effects.states] == [pseudonym]
    assert {example.user for example in effects.examples} == {pseudonym}
    assert "ann" not in repr((effects.states, effects.examples, chain.ranker.calls))
    assert [fresh.user_id for fresh in effects.lists] == ["ann@example.com"]


def test_words_are_scrubbed_before_the_encoder_and_the_ranker_see_them() -> None:
    chain = Chain()
    chain.pipeline.run(
        [review("ann", "i0", 0, "write to ann@example.com"), query("bob", "call +49 30 901820", 1)],
        NOW_MS,
    )
    assert chain.encoder.calls == [["write to ⟨email⟩", "call ⟨phone⟩"]]
    assert [asked.words for asked in chain.ranker.calls[0]] == ["write to ⟨email⟩", "call ⟨phone⟩"]


def test_a_batch_without_words_asks_no_encoder() -> None:
    chain = Chain()
    chain.pipeline.run([click("ann", "i0", 0)], NOW_MS)
    assert chain.encoder.calls == []


def test_each_text_gets_its_own_vector() -> None:
    together, alone = Chain(), Chain()
    together.pipeline.run(
        [query("ann", "space", 0), click("ann", "i0", 0), query("bob", "trains", 1)], NOW_MS
    )
    alone.pipeline.run([query("bob", "trains", 1)], NOW_MS)
    one, other = together.state("bob"), alone.state("bob")
    assert one is not None
    assert other is not None
    assert one.intent.any()
    assert one.intent.tolist() == other.intent.tolist()


def test_an_item_that_nobody_announced_is_life_as_usual() -> None:
    chain = Chain()
    effects = chain.pipeline.run([click("ann", "who knows", 0)], NOW_MS)
    assert effects.dead_letters == ()
    assert len(effects.lists) == 1
    state = chain.state("ann")
    assert state is not None
    assert [waiting.item_id for waiting in state.pending] == ["who knows"]


def test_redelivery_changes_no_state_but_gives_lists_and_examples_again() -> None:
    chain = Chain()
    records = [
        click("ann", "i0", 0),
        review("ann", "i1", 1, "good", rating=5),
        query("bob", "trains", 2),
        request("bob", 3),
    ]
    first = chain.pipeline.run(records, NOW_MS)
    before = chain.state("ann"), chain.state("bob")
    for worker in (chain, Chain(chain.store)):  # the same worker, and one that was started again
        again = worker.pipeline.run(records, NOW_MS)
        assert again.states == ()
        assert (chain.state("ann"), chain.state("bob")) == before
        assert [fresh.list_id for fresh in again.lists] == [fresh.list_id for fresh in first.lists]
        assert [example.event for example in again.examples] == [
            example.event for example in first.examples
        ]
        assert again.counts["duplicates"] == 0


def test_processing_alone_changes_nothing() -> None:
    chain = Chain()
    records = [click("ann", "i0", 0)]
    first, second = chain.pipeline.process(records, NOW_MS), chain.pipeline.process(records, NOW_MS)
    assert chain.state("ann") is None
    assert shown(first) == shown(second)
    assert len(second.states) == 1


@pytest.mark.parametrize("reviewed", [False, True])
def test_the_newest_words_of_the_batch_are_the_reason(reviewed: bool) -> None:
    chain = Chain()
    newest = review("ann", "i0", 0, "space") if reviewed else query("ann", "space", 1)
    chain.pipeline.run([query("ann", "trains", 0), newest, click("ann", "i0", 0)], NOW_MS)
    (asked,) = chain.ranker.calls[0]
    assert (asked.words, asked.reviewed) == ("space", reviewed)


def test_controls_of_items_change_nothing_here() -> None:
    chain = Chain()
    ban = record(
        Topic.CONTROLS, 0, {"kind": "ban_item", "item_id": "i0", "by": "op", "why": "rude"}
    )
    effects = chain.pipeline.run([ban], NOW_MS)
    assert (effects.states, effects.lists, effects.examples, effects.dead_letters) == (
        (),
        (),
        (),
        (),
    )


def test_noise_is_dropped_and_counted() -> None:
    chain = Chain()
    bounce = click("ann", "i0", 1, action="view", dwell_ms=10)
    effects = chain.pipeline.run([bounce, click("bob", "i0", 2)], NOW_MS)
    assert effects.counts["bounces"] == 1
    assert [fresh.user_id for fresh in effects.lists] == ["bob"]


@pytest.mark.parametrize(("share", "tested"), [(0.0, 0), (1.0, 2)])
def test_only_targets_in_the_sample_are_tested(share: float, tested: int) -> None:
    records = [
        click("ann", "i0", 0),
        click("ann", "i1", 1),
        review("ann", "i2", 2, "bad", rating=1),
    ]
    effects = Chain(test_sample=share).pipeline.run(records, NOW_MS)
    assert sum(example.tested for example in effects.examples) == tested
    assert len(effects.examples) == 3


def chosen_ids(share: float, wanted: int) -> list[str]:
    """Ids whose hash without a secret lies below `share`: what an app would pick to be drawn."""
    ids = (f"chosen-{number}" for number in count())
    low = (one for one in ids if plain_hash(one) < share or plain_hash(f"7\n{one}", 16) < share)
    return list(islice(low, wanted))


def plain_hash(text: str, size: int = 8) -> float:
    digest = blake2b(text.encode(), digest_size=size).digest()[:8]
    return int.from_bytes(digest) / 2.0**64


def test_whoever_chooses_ids_chooses_neither_what_is_tested_nor_what_explores() -> None:
    ids = chosen_ids(0.1, 600)
    records = [
        click(f"user-{number}", "i0", number, event_id=one) for number, one in enumerate(ids)
    ]
    chain = Chain(test_sample=0.1)
    effects = chain.pipeline.run(records, NOW_MS)
    assert sum(one.tested for one in effects.examples) == pytest.approx(60, abs=5 * 7.4)
    lots = [request.lot for requests in chain.ranker.calls for request in requests]
    assert len(set(lots)) == len(ids)
    explored = sum(draw(7, lot or "", 0.1) >= 0.0 for lot in lots)
    assert explored == pytest.approx(60, abs=5 * 7.4)


def test_lots_are_the_same_for_the_same_key_and_others_for_another() -> None:
    def lots(key: bytes) -> list[str | None]:
        chain = Chain(key=key)
        asked = request("ann", 0)
        for records in ([click("ann", "i0", 0), asked], [click("ann", "i0", 0), asked]):
            chain.pipeline.run(records, NOW_MS)
        return [request.lot for requests in chain.ranker.calls for request in requests]

    one = lots(bytes(32))
    assert one[:2] == one[2:]  # delivered again, drawn as before
    assert lots(bytes(32)) == one
    assert not set(lots(bytes(31) + b"1")) & set(one)


def test_a_state_that_another_worker_moved_on_is_read_again_and_the_batch_done_once_more() -> None:
    one = Chain()
    other = Chain(one.store)
    one.pipeline.run([click("ann", "i0", 0)], NOW_MS)
    other.pipeline.run([click("ann", "i1", 1), click("ann", "i2", 2)], NOW_MS)
    effects = one.pipeline.run([review("ann", "i3", 0, "good")], NOW_MS)
    assert shown(effects) == [("ann", "reviews-0", [])]
    assert len(one.ranker.calls) == 3
    state = one.state("ann")
    assert state is not None
    assert state.had == ("i0", "i1", "i2", "i3")


class _StaleStore(MemoryStore):
    """Another worker is always first."""

    tries = 0

    def write_users(self, states: object) -> list[str]:
        assert isinstance(states, tuple)
        self.tries += 1
        return [state.user for state in states if isinstance(state, UserState)]


def test_two_workers_that_write_the_same_users_are_a_fault_after_three_tries() -> None:
    store = _StaleStore(8)
    chain = Chain(store)
    with pytest.raises(StoreError, match="two workers own the same partitions"):
        chain.pipeline.run([click("ann", "i0", 0)], NOW_MS)
    assert store.tries == 3
