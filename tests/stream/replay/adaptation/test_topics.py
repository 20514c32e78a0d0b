"""What the topics hold is what a log of the same says."""

from __future__ import annotations

import numpy as np
import pytest
from kafka import KafkaProducer

from stream.broker.topics import ensure_topics
from stream.chain.wire import decode_item, encode_item
from stream.replay.adaptation.history import read_history
from stream.replay.adaptation.topics import newest_items, taught
from tests.stream.replay.adaptation.logs import GENRES, NOW, history, record
from upwell.client import client_options
from upwell.errors import BrokerError, LogError
from upwell.events import Topic
from upwell.settings import KafkaSettings
from upwell.values import CatalogueItem

PARTITIONS = 2


@pytest.fixture
def on(kafka: str, prefix: str) -> KafkaSettings:
    made = KafkaSettings(address=kafka, prefix=prefix, partitions=PARTITIONS)
    ensure_topics(prefix, PARTITIONS, client_options(made))
    return made


def send(on: KafkaSettings, topic: Topic, key: str, *values: bytes | None) -> None:
    with KafkaProducer(acks="all", **client_options(on)) as producer:
        for value in values:
            producer.send(on.prefix + topic, key=key.encode(), value=value)
        producer.flush()


def entry(item_id: str, title: str, genre: str) -> bytes:
    vector = np.zeros(2, np.float32)
    return encode_item(
        CatalogueItem(
            item_id=item_id, ts=1, title=title, categories=(genre,), vector=vector, revision="r"
        )
    )


def announce(on: KafkaSettings) -> None:
    for one, genre in zip("abc", GENRES, strict=False):
        older = entry(one, "Older", "Old")
        send(on, Topic.CATALOGUE, one, older, entry(one, f"Title {one}", genre))


def test_items_are_the_newest_entries_and_acts_those_of_all_partitions(on: KafkaSettings) -> None:
    acts = [
        record("clicks", 4, user_id="u", item_id="c", action="like"),
        record("reviews", 5, user_id="v", item_id="b", rating=2.0, text="slow"),
        record("queries", 3, user_id="w", text="a war film"),
        record("clicks", 6, user_id="gone", item_id="a", action="like"),
        record("controls", 9, kind="forget_user", by="op", why="asked", user_id="gone"),
    ]
    announce(on)
    for number, one in enumerate(acts):
        send(on, one.topic, f"key {number}", one.value)
    send(on, Topic.CLICKS, "key 0", b"no event", None)
    found, same = taught(on, NOW), history(*acts)
    items = {text: row for row, text in enumerate(found.texts)}
    assert sorted(items) == sorted(same.texts)
    assert [(act.user, act.ts, act.text) for act in found.acts] == [
        (act.user, act.ts, act.text) for act in same.acts
    ]
    liked = [found.texts[act.row] for act in found.acts if act.row is not None]
    assert liked == [same.texts[act.row] for act in same.acts if act.row is not None]
    assert (found.left_out, same.left_out) == (2, 0)


def test_where_nothing_was_done_there_is_nothing_to_learn(on: KafkaSettings) -> None:
    announce(on)
    with pytest.raises(LogError, match="nothing to learn"):
        taught(on, NOW)


def test_topics_that_are_not_there_are_named(kafka: str, prefix: str) -> None:
    with pytest.raises(BrokerError, match="catalogue"):
        newest_items(KafkaSettings(address=kafka, prefix=prefix, partitions=1))


def test_announcements_in_a_log_change_what_was_known() -> None:
    known = {"a": decode_item(entry("a", "Before", "War"))}
    act = record("clicks", 4, user_id="u", item_id="a", action="like")
    assert read_history([act], NOW, known).texts == ("Before. War",)
    after = [record("items", 2, item_id="a", title="After"), act]
    assert read_history(after, NOW, known).texts == ("After. War",)
    assert known["a"].title == "Before"
