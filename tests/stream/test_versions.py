"""What was written yesterday is read tomorrow: a log of version 1 decodes to these events; fields
nobody knows are kept out and counted.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import MISSING, fields, replace
from pathlib import Path

import orjson
import pytest
from kafka import KafkaProducer

from encoders.hashing import HashingEncoder
from learner.training.learner import Learner
from store.memory import MemoryStore
from stream.broker.topics import ensure_topics
from stream.chain.catalogue import check_revision
from stream.chain.items import ItemPipeline
from stream.chain.publish import item_records
from stream.chain.records import Record
from stream.chain.validate import decode
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord, read_log
from stream.serve.unknown_fields import MAX_NAMES, KeptOut
from stream.serve.worker import ServeWorker
from tests.stream.chain.chain import NOW_MS, Chain, announced, record
from upwell.client import client_options
from upwell.errors import InvalidEventError, ModelError, SettingsError
from upwell.events import (
    Action,
    Click,
    Control,
    ControlKind,
    Event,
    Impression,
    Item,
    Knowledge,
    KnowledgeKind,
    Query,
    Request,
    Review,
    Topic,
    type_of_topic,
)
from upwell.recommendations import DeadLetter
from upwell.schema import OTHER_FIELD, VERSION, parse_event
from upwell.settings import EncoderSettings, KafkaSettings, LearnerSettings, Settings, StoreSettings

LOG = Path(__file__).parent / "events_v1.jsonl"
REFERENCE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
T = 1_700_000_000_000
EVENTS: list[Event] = [
    Item(
        item_id="i1",
        ts=T,
        title="Solaris",
        text="a planet that thinks",
        categories=("sf",),
        brand="Mosfilm",
        price=4.5,
        image="https://example.org/i1",
        language="ru",
    ),
    Item(item_id="i2", ts=T + 1, title="Stalker", deleted=True, event_id="e0", cleared=("text",)),
    Click(
        event_id="e1",
        ts=T + 1_000,
        user_id="ann",
        item_id="i1",
        action=Action.CLICK,
        dwell_ms=900,
        list_id="l1",
        position=0,
    ),
    Review(
        event_id="e2",
        ts=T + 2_000,
        user_id="ann",
        item_id="i1",
        rating=4.5,
        text="slow and deep",
        language="en",
    ),
    Review(event_id="e3", ts=0, user_id="bob", item_id="i1", rating=2.0),
    Query(event_id="e4", ts=T + 3_000, user_id="bob", text="a space station"),
    Impression(
        event_id="e5",
        ts=T + 4_000,
        user_id="ann",
        list_id="l1",
        item_ids=("i1", "i2"),
        propensities=(1.0, 0.05),
    ),
    Request(
        event_id="e6",
        ts=T + 5_000,
        user_id="ann",
        request_id="r1",
        k=5,
        exclude=("i2",),
        category="sf",
    ),
    Control(
        event_id="e7",
        ts=T + 6_000,
        kind=ControlKind.BOOST_ITEM,
        by="op",
        why="season",
        item_id="i1",
        boost=2.0,
    ),
    Control(
        event_id="e8",
        ts=T + 7_000,
        kind=ControlKind.FORGET_USER,
        by="op",
        why="asked",
        user_id="bob",
    ),
    Knowledge(ts=T + 8_000, kind=KnowledgeKind.TRIPLE, item_id="i1", relation="by", value="Т"),
    Knowledge(
        ts=T + 9_000, kind=KnowledgeKind.FILTER, rule_id="r", category="sf", months=(6,), within="w"
    ),
]
"""Of the log. They do not change with a new version of the events: that is the promise."""


def lines() -> list[LogRecord]:
    return [line for line in read_log(LOG) if isinstance(line, LogRecord)]


def test_a_log_of_version_1_gives_the_events_of_version_1() -> None:
    unknown: Counter[str] = Counter()
    assert [
        decode(line.topic, 0, 0, line.value, NOW_MS, unknown=unknown) for line in lines()
    ] == EVENTS
    assert unknown == {"items.colour": 1, "clicks.session": 1, "queries.session": 1}


def test_a_log_of_version_1_plays_through_the_engine() -> None:
    effects = InlineEngine(
        replace(Settings(), learner=LearnerSettings(fused=False)), HashingEncoder(8)
    ).process(lines())
    assert effects.dead_letters == ()
    assert effects.counts["lists"] == 2  # for what ann did, and for her request; bob is forgotten
    assert effects.unknown_fields == {"clicks.session": 1, "queries.session": 1}


@pytest.mark.parametrize("topic", type_of_topic)
def test_a_newer_version_is_a_dead_letter_that_says_to_update(topic: Topic) -> None:
    [line, *_] = [line for line in lines() if line.topic is topic]
    value = orjson.loads(line.value)
    assert parse_event(topic, value | {"v": VERSION}, now_ms=NOW_MS) == parse_event(
        topic, value, now_ms=NOW_MS
    )
    letter = decode(
        topic, 0, 0, orjson.dumps(value | {"v": VERSION + 1, "ts": "a text by now"}), NOW_MS
    )
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "unknown_version"
    assert (
        "update Upwell, then `upwell dead-letters replay --reason unknown_version`" in letter.detail
    )


@pytest.mark.parametrize(
    ("version", "reason"),
    [(0, "out_of_range"), (-1, "out_of_range"), (True, "wrong_type"), (1.0, "wrong_type")],
)
def test_a_version_is_a_whole_number_from_1(version: object, reason: str) -> None:
    with pytest.raises(InvalidEventError, match="^" + reason):
        parse_event(
            Topic.QUERIES,
            {"event_id": "e", "ts": T, "user_id": "u", "text": "t", "v": version},
            now_ms=NOW_MS,
        )


def test_unknown_fields_are_counted_once_an_event_by_names_that_are_no_ones() -> None:
    value = {
        "user_id": "ann",
        "item_id": "i0",
        "action": "click",
        "colour": 1,
        "ann@example.org": 2,
        "größe": 3,
        "x" * 41: 4,
    }
    astray = (
        record(Topic.CLICKS, 1, value, partition=0),
        record(Topic.CLICKS, 1, value, partition=1),
    )
    found = [Chain().pipeline.run([one], NOW_MS) for one in astray]
    assert [effects.unknown_fields for effects in found] == [
        {"clicks.colour": 1, f"clicks.{OTHER_FIELD}": 3}
    ] * 2
    [sent_on] = [stray for effects in found for stray in effects.rerouted][:1]
    assert (
        Chain()
        .pipeline.run([Record(Topic.REROUTED, 0, 0, sent_on.value, NOW_MS)], NOW_MS)
        .unknown_fields
        == {}
    )
    bad = record(Topic.CLICKS, 2, {"user_id": "ann", "colour": 1})
    assert Chain().pipeline.run([bad], NOW_MS).unknown_fields == {}
    items = ItemPipeline(HashingEncoder(8), MemoryStore(8))
    both = [
        record(Topic.ITEMS, 0, {"item_id": "i", "title": "t", "colour": 1}),
        record(Topic.CONTROLS, 0, CONTROL | {"colour": 1}),
    ]
    assert items.run(both, NOW_MS).unknown_fields == {"items.colour": 1}


CONTROL = {"kind": "ban_item", "by": "b", "why": "w", "item_id": "i"}


def test_the_count_names_so_many_fields_and_the_log_each_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept_out = KeptOut()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            kept_out.add({f"clicks.f{number}": 1 for number in range(MAX_NAMES + 50)})
    assert len(kept_out.counts) == MAX_NAMES + 1
    assert kept_out.counts["clicks.f0"] == 2
    assert kept_out.counts[f"clicks.{OTHER_FIELD}"] == 100
    assert len(caplog.records) == MAX_NAMES + 1
    assert "field clicks.f0 is none of version 1" in caplog.records[0].getMessage()


def test_a_checkpoint_of_other_vectors_is_refused_by_name() -> None:
    made, other = (Learner(Settings().learner, dimension, 1) for dimension in (8, 16))
    with pytest.raises(
        ModelError,
        match=r"made for vectors of 8 dimensions, the encoder gives 16: set UPWELL_ENCODER",
    ):
        other.restore(made.arrays(), made.meta())


def test_only_what_changes_the_vectors_makes_another_encoder() -> None:
    [item] = announced(Item(item_id="i", ts=1, title="t"), encoder=HashingEncoder(8))
    made = replace(item, revision="minilm@0123/mean/float32")
    check_revision([made], "/models/minilm@0123/mean/bfloat16")
    check_revision([item], item.revision)
    for other in ("minilm@4567/mean/float32", "minilm@0123/cls/float32", "hashing-8"):
        with pytest.raises(
            SettingsError,
            match=r"made by the encoder minilm@0123/mean/float32, this worker has .*UPWELL_ENCODER",
        ):
            check_revision([made], other)
    check_revision([made], "minilm@4567/mean/float32", {"0123/mean", "89ab/mean"})
    with pytest.raises(SettingsError):
        check_revision([made], "minilm@4567/mean/float32", {"89ab/mean"})


def test_a_worker_with_another_encoder_does_not_start(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    own = KafkaSettings(address=kafka, prefix=prefix)
    ensure_topics(prefix, own.partitions, client_options(own))
    items = ItemPipeline(HashingEncoder(384), MemoryStore(384)).run(
        [record(Topic.ITEMS, 0, {"item_id": "i", "title": "t"})], NOW_MS
    )
    with KafkaProducer(**client_options(own)) as producer:
        for one in item_records(items):
            producer.send(prefix + one.topic, key=one.key, value=one.value)
    alone = replace(Settings(), encoder=EncoderSettings(vectors="off"), data=tmp_path)
    worker = ServeWorker(replace(alone, kafka=own, store=StoreSettings(kind="memory")))
    try:
        with pytest.raises(
            SettingsError,
            match=r"made by the encoder hashing-384, this worker has .*@53aa51172d14/mean/",
        ):
            worker.start()
    finally:
        worker.stop()


@pytest.mark.parametrize("topic", type_of_topic)
def test_the_reference_names_the_fields_of_each_topic_and_which_are_needed(topic: Topic) -> None:
    [section] = re.findall(rf"^## {topic}\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    named = re.findall(r"^\| `(\w+)`(\??) \|", section, re.MULTILINE)
    kind = type_of_topic[topic]
    common = [("event_id", ""), ("ts", "")] if topic is not Topic.ITEMS else [("ts", "")]
    expected = [
        (field.name, "" if field.default is MISSING else "?")
        for field in fields(kind)
        if field.name != "cleared"  # no field of the JSON: a null is
    ]
    assert sorted(named) == sorted(set(expected) - set(common))
    [example] = re.findall(r"^```json\n(.*)\n```$", section, re.MULTILINE)
    parse_event(topic, orjson.loads(example), now_ms=NOW_MS)
