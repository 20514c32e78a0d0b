"""Snapshot, restore and rollback against a real broker, without workers: files, offsets and what is
said on `models`.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from learner.release import checkpoint
from learner.release.folder import LocalFolder, open_folder
from stream.broker.feeds import Broadcast, read_partition
from stream.broker.lag import Lag
from stream.broker.model_records import KIND, ROLLBACK
from stream.broker.topics import TOPICS, ensure_topics
from stream.chain.records import BroadcastRecord
from stream.ops.snapshot import restore, rollback, snapshot
from tests.topics import delete_topics
from upwell.client import client_options
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.settings import KafkaSettings, Settings
from upwell.system.errands import answer_errand
from upwell.system.lock import try_lock


@pytest.fixture
def settings(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    """Topics with 5 clicks of which 3 are acknowledged, and a data folder with two checkpoints, a
    store and a key.
    """
    made = replace(
        Settings(),
        kafka=KafkaSettings(address=kafka, prefix=prefix, partitions=1),
        data=tmp_path / "data",
    )
    ensure_topics(prefix, 1, client_options(made.kafka))
    with KafkaProducer(acks="all", **client_options(made.kafka)) as producer:
        for _ in range(5):
            producer.send(prefix + Topic.CLICKS, value=b"{}", partition=0).get(timeout=30)
    acknowledge(made, 3)
    for version in ("1-a", "2-b"):
        meta = {
            "version": version,
            "positions": {"0": 7},
            "learner": {"watermark": {"clicks-0": 2}},
        }
        checkpoint.save_checkpoint(LocalFolder(made.data / "models"), {"x": np.ones(3)}, meta)
    (made.data / "store").mkdir()
    (made.data / "store" / "points").write_bytes(b"points")
    (made.data / "key").write_text("k")
    return made


def acknowledge(settings: Settings, offset: int) -> None:
    consumer = KafkaConsumer(
        group_id=settings.kafka.prefix + "serve",
        enable_auto_commit=False,
        **client_options(settings.kafka),
    )
    clicks = TopicPartition(settings.kafka.prefix + Topic.CLICKS, 0)
    consumer.assign([clicks])
    consumer.commit({clicks: OffsetAndMetadata(offset, "", -1)})
    consumer.close()


def behind(settings: Settings) -> int:
    with Lag(client_options(settings.kafka), settings.kafka.prefix) as lag:
        return lag.behind([Topic.CLICKS])


def on_models(settings: Settings) -> list[BroadcastRecord]:
    feed = Broadcast(settings.kafka.prefix + Topic.MODELS, client_options(settings.kafka))
    feed.start()
    try:
        return list(feed.drain())
    finally:
        feed.stop()


def test_a_fresh_folder_holds_the_same_and_the_offsets_are_set_back(
    settings: Settings, tmp_path: Path
) -> None:
    taken, fresh = tmp_path / "taken", replace(settings, data=tmp_path / "fresh")
    snapshot(settings, taken, print)
    acknowledge(settings, 5)
    restore(fresh, taken, print)
    assert behind(settings) == 2
    newest = checkpoint.latest(LocalFolder(settings.data / "models"))
    assert newest is not None
    for name in ("store/points", "key", f"models/{Path(newest.name).stem}.safetensors"):
        assert (fresh.data / name).read_bytes() == (settings.data / name).read_bytes()
    (record,) = on_models(fresh)
    assert record.headers[KIND] == ROLLBACK
    assert orjson.loads(record.value or b"")["version"] == "2-b"
    with pytest.raises(SnapshotError, match="is not empty"):
        restore(fresh, taken, print)
    with pytest.raises(SnapshotError, match="name a new folder"):
        snapshot(settings, taken, print)


def test_nothing_is_restored_from_a_torn_snapshot_or_onto_another_broker(
    settings: Settings, tmp_path: Path
) -> None:
    taken, fresh = tmp_path / "taken", replace(settings, data=tmp_path / "fresh")
    snapshot(settings, taken, print)
    manifest = orjson.loads((taken / "manifest.json").read_bytes())
    beyond = [[topic, number, offset + 100] for topic, number, offset in manifest["offsets"]]
    (taken / "manifest.json").write_bytes(orjson.dumps({**manifest, "offsets": beyond}))
    with pytest.raises(SnapshotError, match="use the broker it was made on"):
        restore(fresh, taken, print)
    with pytest.raises(SnapshotError, match="partitions 1, the settings say 2"):
        restore(replace(fresh, kafka=replace(fresh.kafka, partitions=2)), taken, print)
    (taken / "key").write_text("another")
    with pytest.raises(SnapshotError, match="key is torn"):
        restore(fresh, taken, print)
    assert not fresh.data.exists()
    assert behind(settings) == 2


def test_a_topic_made_anew_since_the_snapshot_is_named(settings: Settings, tmp_path: Path) -> None:
    taken, fresh = tmp_path / "taken", replace(settings, data=tmp_path / "fresh")
    snapshot(settings, taken, print)
    clicks, client = settings.kafka.prefix + Topic.CLICKS, client_options(settings.kafka)
    delete_topics(client, [clicks])
    ensure_topics(settings.kafka.prefix, 1, client)
    with KafkaProducer(acks="all", **client) as producer:  # as many as before: offsets would fit
        for _ in range(5):
            producer.send(clicks, value=b"{}", partition=0).get(timeout=30)
    with pytest.raises(SnapshotError, match=f"^{clicks}: not the topics that the snapshot"):
        restore(fresh, taken, print)
    assert not fresh.data.exists()
    manifest = orjson.loads((taken / "manifest.json").read_bytes())
    del manifest["topics"]  # one of an older version
    (taken / "manifest.json").write_bytes(orjson.dumps(manifest))
    restore(fresh, taken, print)


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """What a running serve does for a snapshot, with the lock that a running learn holds."""
    held = try_lock(settings.data / "models" / "owner.lock")
    assert held is not None
    stop = threading.Event()

    def copy(asked: Mapping[str, Any]) -> None:
        acknowledge(settings, 5)  # the engine went on: the noted offsets are older than the store
        shutil.copytree(settings.data / "store", asked["target"])

    def run() -> None:
        while not stop.is_set():
            answer_errand(settings.data / "store", "store-copy", copy, OSError)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        os.close(held)


def test_a_running_engine_is_copied_and_goes_on_from_the_offsets_noted_before(
    settings: Settings, tmp_path: Path
) -> None:
    taken, fresh = tmp_path / "taken", replace(settings, data=tmp_path / "fresh")
    with serving(settings):
        snapshot(settings, taken, print)
    restore(fresh, taken, print)
    assert behind(settings) == 2
    assert (fresh.data / "store" / "points").read_bytes() == b"points"
    models = LocalFolder(fresh.data / "models")
    (newest,) = checkpoint.every(models)
    assert checkpoint.load(models, newest.name)[1]["version"] == "2-b"


def test_another_broker_gets_the_catalogue_and_what_was_not_worked_off(
    settings: Settings, tmp_path: Path
) -> None:
    taken, fresh = tmp_path / "taken", replace(settings, data=tmp_path / "fresh")
    prefix, client = settings.kafka.prefix, client_options(settings.kafka)
    with KafkaProducer(acks="all", **client) as producer:
        where = {"key": b"i", "headers": [("kind", b"x")], "partition": 0}
        producer.send(prefix + Topic.CATALOGUE, value=b"vector", **where).get(timeout=30)
        for number in range(9):
            producer.send(prefix + Topic.EXAMPLES, value=b"%d" % number, partition=0).get(30)
    with serving(settings):
        snapshot(settings, taken, print)
    delete_topics(client, [prefix + spec.topic for spec in TOPICS])
    ensure_topics(prefix, 1, client)
    with KafkaProducer(acks="all", **client) as producer:
        producer.send(prefix + Topic.CLICKS, value=b"{}", partition=0).get(timeout=30)
    with pytest.raises(SnapshotError, match="clicks: topics of another engine"):
        restore(fresh, taken, print)
    assert not fresh.data.exists()
    delete_topics(client, [prefix + spec.topic for spec in TOPICS])
    ensure_topics(prefix, 1, client)
    with pytest.raises(SnapshotError, match="--erasures"):
        restore(fresh, taken, print)
    assert not fresh.data.exists()
    restore(fresh, taken, print, erasures=[])

    def found(topic: Topic) -> list[Any]:
        return list(read_partition(client, TopicPartition(prefix + topic, 0), 0))

    (entry,) = found(Topic.CATALOGUE)
    assert (entry.key, entry.value, entry.headers) == (b"i", b"vector", [("kind", b"x")])
    assert len(found(Topic.CLICKS)) == 2
    assert [one.value for one in found(Topic.EXAMPLES)] == [b"7", b"8"]


def test_one_snapshot_at_a_time(settings: Settings, tmp_path: Path) -> None:
    held = try_lock(settings.data / "snapshot.lock")
    assert held is not None
    with pytest.raises(SnapshotError, match="another snapshot"):
        snapshot(settings, tmp_path / "taken", print)
    os.close(held)


def test_an_older_version_becomes_the_newest_and_models_says_so(settings: Settings) -> None:
    with pytest.raises(SnapshotError, match="there are: 2-b, 1-a"):
        rollback(settings, "9-z", print)
    rollback(settings, "1-a", print)
    newest = checkpoint.latest(LocalFolder(settings.data / "models"))
    assert newest is not None
    assert (
        newest.number,
        checkpoint.load(LocalFolder(settings.data / "models"), newest.name)[1]["version"],
    ) == (3, "1-a")
    (record,) = on_models(settings)
    assert orjson.loads(record.value or b"") == {
        "version": "1-a",
        "file": newest.name,
        "sha256": newest.sha256,
        "watermark": {"clicks-0": 2},
    }


def test_checkpoints_that_are_kept_elsewhere_are_in_it_and_go_where_they_are_to_be_kept(
    settings: Settings, tmp_path: Path
) -> None:
    place, other = (f"memory://{settings.kafka.prefix}{name}/models" for name in ("old", "new"))
    own = open_folder(place)
    for name in os.listdir(settings.data / "models"):
        own.write(name, (settings.data / "models" / name).read_bytes())
    shutil.rmtree(settings.data / "models")
    taken = tmp_path / "taken"
    snapshot(replace(settings, models=place), taken, print)
    fresh = replace(settings, data=tmp_path / "fresh", models=other)
    restore(fresh, taken, print)
    assert checkpoint.every(open_folder(other)) == checkpoint.every(own)
    assert len(checkpoint.every(own)) == 2
    with pytest.raises(SnapshotError, match=f"{other} is not empty: set UPWELL_MODELS"):
        restore(replace(fresh, data=tmp_path / "again"), taken, print)


def test_a_running_engine_whose_checkpoints_are_elsewhere_gives_its_newest(
    settings: Settings, tmp_path: Path
) -> None:
    place = f"memory://{settings.kafka.prefix}live/models"
    own, taken = open_folder(place), tmp_path / "taken"
    for version in ("5-e", "6-f"):
        meta: dict[str, Any] = {"version": version, "learner": {"watermark": {}}}
        checkpoint.save_checkpoint(own, {"x": np.ones(3)}, meta)
    with serving(settings):
        snapshot(replace(settings, models=place), taken, print)
    assert checkpoint.every(LocalFolder(taken / "models")) == checkpoint.every(own)[:1]
