"""An engine's data folder and topics with something of ann, of her guest and of bob, without an
engine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
from kafka import KafkaProducer

from store.edge import open_edge
from stream.broker.topics import ensure_topics
from stream.chain.fold import empty_state
from stream.chain.privacy import Pseudonymizer
from stream.chain.wire import encode_examples
from tests.stream.ops.access.test_whose import example
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings, Settings
from upwell.values import Guest, Interaction, Shown

__all__ = ["ANN", "BOB", "VISITOR", "fill", "settings_of"]

KEY = bytes(range(32))
PSEUDONYM = Pseudonymizer(KEY).pseudonym
ANN, BOB, VISITOR = PSEUDONYM("ann"), PSEUDONYM("bob"), PSEUDONYM("visitor")
DIMENSION = 384


def settings_of(kafka: str, prefix: str, folder: Path) -> Settings:
    """With topics and a key, and nothing of anybody."""
    made = replace(
        Settings(),
        kafka=KafkaSettings(address=kafka, prefix=prefix, partitions=2),
        data=folder,
    )
    ensure_topics(prefix, 2, client_options(made.kafka))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key").write_bytes(KEY)
    return made


def fill(settings: Settings) -> None:
    """Partitions are whatever they are: an app may have its own partitioner."""
    _store(settings)
    click = {"event_id": "1", "ts": 1, "item_id": "i", "action": "click"}
    merge = {"event_id": "m", "ts": 1, "kind": "merge_user", "by": "shop", "why": "login"}
    listed = {"list_id": "l", "items": [{"item_id": "i"}], "trigger": "1"}
    letter = {"user": ANN, "reason": "bad_json"}
    records = [
        (Topic.CLICKS, 0, None, {**click, "user_id": "ann"}),
        (Topic.CLICKS, 1, None, {**click, "user_id": "visitor"}),
        (Topic.CLICKS, 1, None, {**click, "user_id": "bob"}),
        (Topic.CLICKS, 1, None, {**click, "user_id": "stranger"}),
        (Topic.CONTROLS, 0, None, {**merge, "user_id": "ann", "from_user": "visitor"}),
        (Topic.CONTROLS, 0, None, {**merge, "user_id": "ann", "from_user": "stranger"}),
        (Topic.RECOMMENDATIONS, 0, b"ann", {**listed, "user_id": "ann"}),
        (Topic.RECOMMENDATIONS, 0, b"ann", {**listed, "user_id": "ann", "list_id": "newer"}),
        (Topic.RECOMMENDATIONS, 0, b"bob", {**listed, "user_id": "bob", "list_id": "his"}),
        (Topic.DEAD_LETTERS, 0, b"clicks-0-7", letter),
        (Topic.DEAD_LETTERS, 0, b"clicks-0-8", letter),
        (Topic.DEAD_LETTERS, 0, b"clicks-0-8", None),
    ]
    examples = encode_examples([example(ANN), example(BOB), replace(example(ANN), offset=4)])
    prefix = settings.kafka.prefix
    with KafkaProducer(acks="all", **client_options(settings.kafka)) as producer:
        for topic, partition, key, value in records:
            raw = None if value is None else orjson.dumps(value)
            producer.send(prefix + topic, key=key, value=raw, partition=partition).get(30)
        producer.send(prefix + Topic.CLICKS, value=b"no event", partition=0).get(30)
        producer.send(prefix + Topic.EXAMPLES, value=examples, partition=1).get(30)


def _store(settings: Settings) -> None:
    store = open_edge(settings.data / "store", DIMENSION)
    state = replace(
        empty_state(ANN, DIMENSION),
        events=2,
        had=("i",),
        history=(
            Interaction("1", 1, "i", "click", None, "clicks-0", 0),
            Interaction("2", 2, "[red]j[/red]", "review", 4.5, "reviews-0", 0),
        ),
        shown=(Shown("s", 1, ("i", "j")),),
        watermark={"clicks-0": 0},
        merged={VISITOR: Guest(1, {"clicks-1": 0})},
    )
    store.write_users([state, replace(state, user=BOB, merged={})])
    guest = replace(empty_state(VISITOR, DIMENSION), events=1, watermark={"clicks-1": 0})
    store.write_users([guest])
    store.close()
