"""Laws of forgetting, on the pure chain: whatever comes again or late, a forgotten user stays
forgotten, and begins afresh afterwards.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from learner.training.buffer import digest
from stream.broker.topics import partition_of, partitioner
from stream.chain.effects import Erasure
from stream.chain.fences import Fence, fences_on_controls
from stream.chain.publish import user_records
from stream.chain.records import BroadcastRecord, Record
from stream.chain.wire import decode_examples, encode_rerouted, first_appended
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.stream.chain.chain import (
    ENCODER,
    NOW_MS,
    PARTITIONS,
    PSEUDONYMIZER,
    Chain,
    examples_in,
    record,
)
from upwell.events import Topic
from upwell.settings import LearnerSettings, Settings
from upwell.values import UserState

ANN = PSEUDONYMIZER.pseudonym("ann")
HOME = partition_of(b"ann", PARTITIONS)
FORGET_AT = NOW_MS - 1_000


def click(user: str, item: str, offset: int, at: int) -> Record:
    return record(
        Topic.CLICKS, offset, {"user_id": user, "item_id": item, "action": "click"}, appended_ms=at
    )


def query(user: str, text: str, offset: int, at: int) -> Record:
    return record(Topic.QUERIES, offset, {"user_id": user, "text": text}, appended_ms=at)


def forget(user: str, offset: int = 0, at: int = FORGET_AT, **more: int) -> Record:
    value = {"kind": "forget_user", "user_id": user, "by": "op", "why": "asked to"}
    return record(Topic.CONTROLS, offset, value, appended_ms=at, **more)


OLD = [
    click("ann", "i0", 0, FORGET_AT - 2),
    query("ann", "my secret", 0, FORGET_AT - 1),
    click("ann", "i1", 1, FORGET_AT),
]
NEW = [click("ann", "i2", 2, FORGET_AT + 1), click("ann", "i3", 3, FORGET_AT + 2)]


def seen(state: UserState | None) -> list[str]:
    return [] if state is None else [entry.event_id for entry in state.history]


def test_a_forgotten_user_is_gone_from_store_and_memory_and_the_learner_is_told() -> None:
    chain = Chain()
    chain.pipeline.run([*OLD, click("bob", "i0", 0, FORGET_AT - 2)], NOW_MS)
    effects = chain.pipeline.run([forget("ann")], NOW_MS)
    assert chain.state("ann") is None
    assert seen(chain.state("bob")) == ["clicks-0"]
    assert (effects.lists, effects.examples, effects.states) == ((), (), ())
    assert effects.erasures == (Erasure(ANN, f"controls-{HOME}", 0, states=1),)
    assert chain.pipeline.run([forget("nobody", 1)], NOW_MS).erasures[0].states == 0


def test_of_one_batch_only_what_came_after_counts_and_the_words_before_are_forgotten_too() -> None:
    chain = Chain()
    effects = chain.pipeline.run([*OLD, forget("ann"), *NEW], NOW_MS)
    assert seen(chain.state("ann")) == ["clicks-2", "clicks-3"]
    assert effects.counts["forgotten"] == len(OLD)
    assert [fresh.trigger for fresh in effects.lists] == ["clicks-3"]
    assert [asked.words for asked in chain.ranker.calls[0]] == [None]
    assert "my secret" not in str(chain.encoder.calls)
    assert [example.event.event_id for example in effects.examples] == ["clicks-2", "clicks-3"]
    assert effects.examples[0].history == ()


def test_an_erasure_stands_behind_the_examples_of_its_batch_and_does_not_name_the_app_s_user() -> (
    None
):
    effects = Chain().pipeline.run([forget("ann"), *NEW], NOW_MS)
    records = [one for one in user_records(effects, NOW_MS) if one.topic is Topic.EXAMPLES]
    assert {one.partition for one in records} == {HOME}
    assert len(examples_in(records[0].value)) == 2
    assert decode_examples(records[1].value) == Erasure(ANN, f"controls-{HOME}", 0, states=0)
    assert b'"ann"' not in records[1].value


@given(st.data())
def test_any_redelivery_in_any_order_leaves_the_fresh_user(data: st.DataObject) -> None:
    """Topics are delivered in no order among each other, a crash delivers any end of each again;
    `controls` is read at each start.
    """
    chain = Chain()
    chain.pipeline.run(OLD, NOW_MS)
    clicks, words = [*OLD[:1], *OLD[2:], *NEW], OLD[1:2]
    for _ in range(data.draw(st.integers(1, 3), "deliveries")):
        restarted = Chain(chain.store)
        restarted.pipeline.fence({ANN: Fence(FORGET_AT, f"controls-{HOME}", 0)})
        waiting = [
            clicks[data.draw(st.integers(0, 2)) :],
            words[data.draw(st.integers(0, 1)) :],
            [forget("ann")],
        ]
        while any(waiting):
            batch = []
            for _ in range(data.draw(st.integers(1, 4))):
                left = [topic for topic in waiting if topic]
                batch += [data.draw(st.sampled_from(left)).pop(0)] if left else []
            restarted.pipeline.run(batch, NOW_MS)
        assert seen(chain.state("ann")) == ["clicks-2", "clicks-3"]
        state = chain.state("ann")
        assert state is not None
        assert (state.events, set(state.had)) == (2, {"i2", "i3"})


def test_old_events_that_come_late_on_a_topic_that_lags_do_not_bring_the_user_back() -> None:
    chain = Chain()
    chain.pipeline.run([forget("ann")], NOW_MS)
    effects = chain.pipeline.run(OLD, NOW_MS)
    assert chain.state("ann") is None
    assert (effects.lists, effects.examples) == ((), ())


def test_a_second_request_forgets_what_came_between_and_the_first_one_again_does_not() -> None:
    chain = Chain()
    chain.pipeline.run([forget("ann"), *NEW], NOW_MS)
    chain.pipeline.run([forget("ann", 1, FORGET_AT + 10)], NOW_MS)
    assert chain.state("ann") is None
    chain.pipeline.run([click("ann", "i0", 4, FORGET_AT + 11)], NOW_MS)
    chain.pipeline.run([forget("ann"), *NEW], NOW_MS)
    assert seen(chain.state("ann")) == ["clicks-4"]


def test_a_crash_after_the_removal_tells_the_learner_once_more() -> None:
    chain = Chain()
    chain.pipeline.run([*OLD, forget("ann"), *NEW], NOW_MS)
    again = Chain(chain.store).pipeline.run([*OLD, forget("ann"), *NEW], NOW_MS)
    assert (again.states, again.forgotten) == ((), ())
    assert [one.user for one in again.erasures] == [ANN]


def test_fences_are_read_from_the_requests_on_controls_that_stand_on_their_user_s_partition() -> (
    None
):
    def broadcast(one: Record) -> BroadcastRecord:
        return BroadcastRecord(one.partition, one.offset, None, one.value, {}, one.appended_ms)

    ban = record(
        Topic.CONTROLS,
        1,
        {"kind": "ban_item", "item_id": "i0", "by": "op", "why": "rude"},
        partition=HOME,
    )
    stray = forget("bob", 2, partition=(partition_of(b"bob", PARTITIONS) + 1) % PARTITIONS)
    broken = record(Topic.CONTROLS, 3, b"{")
    records = [forget("ann", 4, FORGET_AT + 1), forget("ann", 0), ban, stray, broken]
    found = fences_on_controls(map(broadcast, records), PSEUDONYMIZER, partitioner(PARTITIONS))
    assert found == {
        ANN: Fence(FORGET_AT + 1, f"controls-{HOME}", 4),
        PSEUDONYMIZER.pseudonym("bob"): Fence.astray(FORGET_AT),
    }


def sent_on(chain: Chain, one: Record, at: int) -> Record:
    """Through the chain of a partition that does not own its user, to the one that does."""
    away = replace(one, partition=(HOME + 1) % PARTITIONS)
    [sent] = [
        out
        for out in user_records(chain.pipeline.run([away], NOW_MS), NOW_MS)
        if out.topic is Topic.REROUTED
    ]
    stated = first_appended(dict(sent.headers))
    return Record(Topic.REROUTED, HOME, one.offset, sent.value, at, sent.key, stated_ms=stated)


def test_what_is_sent_on_after_the_request_is_as_old_as_when_it_first_came() -> None:
    other, chain = Chain(), Chain()
    chain.pipeline.run([forget("ann")], NOW_MS)
    late = [sent_on(other, one, FORGET_AT + 50 + one.offset) for one in (*OLD, *NEW)]
    effects = chain.pipeline.run(late, NOW_MS)
    assert seen(chain.state("ann")) == ["clicks-2", "clicks-3"]
    assert effects.counts["forgotten"] == len(OLD)
    again = sent_on(other, replace(late[0], topic=Topic.CLICKS, value=OLD[0].value), NOW_MS)
    assert again.first_ms == FORGET_AT - 2  # however often it is sent on


def test_a_request_that_was_astray_holds_after_a_restart_too() -> None:
    chain, other = Chain(), Chain()
    chain.pipeline.run([sent_on(other, forget("ann"), FORGET_AT + 9)], NOW_MS)
    restarted = Chain(chain.store)
    restarted.pipeline.fence({ANN: Fence.astray(FORGET_AT)})
    restarted.pipeline.run([sent_on(other, one, FORGET_AT + 50) for one in OLD], NOW_MS)
    assert seen(chain.state("ann")) == []
    restarted.pipeline.run(NEW, NOW_MS)
    assert seen(chain.state("ann")) == ["clicks-2", "clicks-3"]


def test_a_request_that_is_sent_on_forgets_what_was_before_it_and_not_before_its_sending_on() -> (
    None
):
    chain = Chain()
    chain.pipeline.run([sent_on(Chain(), forget("ann"), FORGET_AT + 50), *OLD, *NEW], NOW_MS)
    assert seen(chain.state("ann")) == ["clicks-2", "clicks-3"]


def test_a_header_that_an_app_makes_up_brings_nobody_back_and_hides_its_own_event_alone() -> None:
    chain = Chain()
    chain.pipeline.run([forget("ann")], NOW_MS)
    newer = [replace(one, stated_ms=NOW_MS) for one in OLD]
    assert chain.pipeline.run(newer, NOW_MS).counts["forgotten"] == len(OLD)
    assert chain.state("ann") is None
    chain.pipeline.run([replace(NEW[0], stated_ms=0), NEW[1]], NOW_MS)
    assert seen(chain.state("ann")) == ["clicks-3"]
    stray = replace(NEW[0], partition=(HOME + 1) % PARTITIONS, stated_ms=NOW_MS)
    [carried] = chain.pipeline.run([stray], NOW_MS).rerouted
    assert carried.first_ms == FORGET_AT + 1
    asked = replace(forget("ann", 1, FORGET_AT + 9), stated_ms=0)
    chain.pipeline.run([asked], NOW_MS)
    assert chain.state("ann") is None
    assert sent_on(Chain(), asked, NOW_MS).first_ms == FORGET_AT + 9
    chain.pipeline.run([*OLD, *NEW], NOW_MS)
    assert chain.state("ann") is None


def test_a_letter_says_when_its_bytes_first_came_wherever_they_were_sent_on_from() -> None:
    torn = Record(Topic.CLICKS, HOME, 0, b"{", FORGET_AT + 9, b"ann", stated_ms=FORGET_AT - 1)
    [letter] = Chain().pipeline.run([torn], NOW_MS).dead_letters
    assert letter.appended == FORGET_AT - 1
    chain = Chain()
    chain.pipeline.run([forget("ann")], NOW_MS)
    assert chain.pipeline.run([torn], NOW_MS).dead_letters == ()


def test_the_inline_engine_forgets_as_the_workers_do() -> None:
    settings = replace(Settings(), learner=LearnerSettings(fused=True, fused_every=1_000_000))
    engine = InlineEngine(settings, ENCODER)

    def line(one: Record) -> LogRecord:
        return LogRecord(0, one.topic, b"ann", one.value or b"")

    engine.process([line(one) for one in OLD])
    assert digest(ANN) in engine.learner.arrays()["fused.trainer.buffer.users"]
    engine.process([line(forget("ann"))])
    assert digest(ANN) not in engine.learner.arrays()["fused.trainer.buffer.users"]
    assert engine.users.read([ANN])[ANN].events == 0
    engine.process([line(one) for one in NEW])
    assert engine.users.read([ANN])[ANN].events == 2


def test_dead_letters_name_their_user_by_pseudonym_and_old_ones_do_not_come_after_the_request() -> (
    None
):
    def wrong(offset: int, at: int, **more: object) -> Record:
        return record(
            Topic.CLICKS,
            offset,
            {"user_id": "ann", "item_id": "i0", "action": "clik", **more},
            appended_ms=at,
        )

    chain = Chain()
    broken = record(
        Topic.CLICKS, 1, b'{"user_id": "ann"', partition=HOME, appended_ms=FORGET_AT - 1
    )
    sent_on = Record(
        Topic.REROUTED,
        HOME,
        0,
        encode_rerouted(Topic.CLICKS, wrong(3, 0).value or b""),
        FORGET_AT - 1,
    )
    number = wrong(2, FORGET_AT - 1, user_id=7)
    letters = chain.pipeline.run(
        [wrong(0, FORGET_AT - 1), broken, number, sent_on], NOW_MS
    ).dead_letters
    assert [letter.user for letter in letters] == [ANN, None, None, ANN]
    for asked in ([forget("ann")], []):  # in the same batch, and known from before
        again = chain.pipeline.run([wrong(0, FORGET_AT), wrong(1, FORGET_AT + 1), *asked], NOW_MS)
        assert [(letter.offset, letter.user) for letter in again.dead_letters] == [(1, ANN)]
        assert again.counts["forgotten"] == 1
