"""What waits, in the learn process: decisions on it, its topic, its checkpoint, on real Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer, TopicPartition

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.broker.feeds import read_partition
from stream.broker.topics import ensure_topics
from stream.chain.effects import Erasure
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.chain.overrides.record import encode_kept
from stream.chain.records import BroadcastRecord
from stream.chain.wire import encode_erasure, encode_examples
from stream.learn.loop import LearnLoop
from stream.learn.options import LearnOptions
from stream.learn.quarantine import Decided, HeldBack, group_record
from stream.quarantine.quarantine import Group
from stream.quarantine.state import held_in
from tests.learner.counted import item_events
from tests.learner.training.small import DIMENSION, SETTINGS
from tests.stream.quarantine.crowd import PUSHED, Crowd
from upwell.client import client_options
from upwell.events import Decision, Topic
from upwell.settings import KafkaSettings
from upwell.values import Example

NOW = 1_700_000_000_000


def override(decision: Decision, **more: Any) -> Override:
    values = {"override_id": "o", "item_id": PUSHED, "by": "ann", "why": "w", "event_id": "e"}
    return Override.of({**values, "at": NOW, "decision": decision, **more})


def said(name: str, standing: Override | None) -> BroadcastRecord:
    value = None if standing is None else encode_kept(Kept(seq=0, standing=standing))
    return BroadcastRecord(0, 0, name.encode(), value, {}, NOW)


def test_decisions_hold_in_their_time_until_withdrawn_and_the_stronger_of_two() -> None:
    decided = Decided()
    release, refuse = override(Decision.RELEASE), override(Decision.REFUSE)
    decided.put([said("a", replace(release, until_ts=NOW + 5)), said("b", override(Decision.BAN))])
    assert decided.items(NOW) == {Decision.RELEASE: [PUSHED], Decision.REFUSE: []}
    assert decided.items(NOW + 5) == {Decision.RELEASE: [], Decision.REFUSE: []}
    decided.put([said("c", refuse)])
    assert decided.items(NOW)[Decision.REFUSE] == [PUSHED]
    decided.put([said("c", None)])
    assert decided.items(NOW)[Decision.RELEASE] == [PUSHED]


def test_a_record_of_the_topic_is_one_json_object_and_nothing_where_nothing_waits() -> None:
    record = group_record("Ü", Group("Ü", 3, 4, 11.5, NOW, NOW + 1))
    assert record.key == "Ü".encode()
    assert orjson.loads(record.value) == {
        "v": 1,
        "item_id": "Ü",
        "users": 3,
        "examples": 4,
        "sum": 11.5,
        "since": NOW,
        "at": NOW + 1,
    }
    assert group_record("Ü", None).gone


def test_without_a_quarantine_all_is_learned(options: LearnOptions) -> None:
    held, crowd = HeldBack(replace(options, quarantine="off")), Crowd()
    held.begin({}, {})
    examples = crowd.people(40) + crowd.profiles(10)
    assert held.sift(examples, NOW) == examples
    assert (held.arrays(), held.figures, held.waiting, [*held.records(NOW)]) == ({}, {}, False, [])


@pytest.fixture
def options(kafka: str, prefix: str, tmp_path: Path) -> LearnOptions:
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 2, client)
    return LearnOptions(
        prefix=prefix,
        home=tmp_path,
        folder=LocalFolder(tmp_path),
        engine="test",
        publish_ms=0,
        checkpoint_examples=1_000_000,
        client=client,
        quarantine="strict",
    )


def test_groups_that_another_checkpoint_does_not_know_leave_the_topic(
    options: LearnOptions,
) -> None:
    """As after a roll back, or where a learner that began afresh is in place."""
    held, crowd = HeldBack(options), Crowd()
    held.begin({}, {})
    examples = crowd.people(80) + crowd.profiles(16)
    held.sift(examples, NOW)
    [told] = held.records(NOW)
    assert not told.gone
    arrays = held.arrays()
    held.begin({}, {})
    [gone] = held.records(NOW)
    assert (gone.key, gone.gone) == (PUSHED.encode(), True)
    assert list(held.records(NOW)) == []
    held.begin({}, arrays)
    held.begin({}, {})
    held.begin({}, arrays)
    assert [one.gone for one in held.records(NOW)] == [False]


@contextmanager
def learning(options: LearnOptions) -> Iterator[Learner]:
    """A learn process, ended in order."""
    learner = Learner(SETTINGS, DIMENSION, 7)
    loop = LearnLoop(learner, options, lambda: NOW)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield learner
    finally:
        loop.stop()
        thread.join(60)


def send(
    options: LearnOptions, topic: Topic, key: bytes | None, value: bytes | None, to: int
) -> None:
    with closing(KafkaProducer(acks="all", **options.client)) as producer:
        producer.send(options.prefix + topic, key=key, value=value, partition=to).get(30)


def send_examples(options: LearnOptions, examples: Sequence[Example], to: int) -> None:
    for start in range(0, len(examples), 50):
        value = encode_examples(examples[start : start + 50])
        send(options, Topic.EXAMPLES, None, value, to)


def newest(options: LearnOptions) -> dict[str, Any]:
    """On the topic `quarantine`, by item."""
    place = TopicPartition(options.prefix + Topic.QUARANTINE, 0)
    records = read_partition(options.client, place, 0)
    return {one.key.decode(): one.value and orjson.loads(one.value) for one in records}


def wait(until: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if until():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come to that within a minute")


def pushed(learner: Learner) -> int:
    return item_events(learner).get(PUSHED, 0)


@pytest.mark.timeout(400)
def test_a_group_waits_over_a_restart_and_partitions_until_a_person_releases_it(
    options: LearnOptions,
) -> None:
    crowd = Crowd(source="reviews-0")
    send_examples(options, crowd.people(80), 0)
    with learning(options) as learner:
        wait(lambda: sum(item_events(learner).values()) > 3_000)
        send_examples(options, crowd.profiles(8), 0)
        crowd.source = "reviews-1"
        others = crowd.profiles(8)
        send_examples(options, others, 1)
        wait(lambda: (newest(options).get(PUSHED) or {"users": 0})["users"] >= 15)
        assert pushed(learner) <= 1
    saved = checkpoint.latest(options.folder)
    assert saved is not None
    held = list(held_in(checkpoint.load(options.folder, saved.name)[0]))
    assert sum(one.item_id == PUSHED for one in held) >= 15
    with learning(options) as again:
        send_examples(options, others, 1)  # delivered once more
        # of two partitions either may be read first: whose like passed, as the first, is not held
        user = next(one.example.user for one in held if one.item_id == PUSHED)
        gone = Erasure(user, "controls-1", 0, 1)
        send(options, Topic.EXAMPLES, None, encode_erasure(gone), 1)
        wait(lambda: newest(options)[PUSHED]["users"] == 14)
        kept = Kept(seq=0, standing=override(Decision.RELEASE))
        send(options, Topic.OVERRIDES, b"o", encode_kept(kept), 0)
        wait(lambda: newest(options)[PUSHED] is None)
        wait(lambda: pushed(again) == 15)
