"""Another encoder in a running engine, on a real broker: the catalogue is made anew while events
flow, workers are killed in each phase, and what was there is back to the bit after a roll back.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from kafka import TopicPartition
from safetensors.numpy import load_file, save_file

from encoders import load_encoder
from encoders.adapt.alignment import FILE
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from store import open_store
from stream.broker.feeds import Broadcast, read_partition
from stream.chain.catalogue import vectors_of
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.chain.records import BroadcastRecord
from stream.chain.wire import decode_item
from stream.ops.encoder.service import put_into_force, roll_back
from stream.ops.encoder.trial import make_ready
from stream.replay.log import LogRecord
from tests.e2e.engine import Engine, bundled_log, values
from tests.e2e.test_crash import newest_lists, undisturbed
from tests.e2e.test_snapshot import play
from tests.encoders.tiny import tiny_model
from tests.learner.counted import item_events
from tests.sources import by_partition
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.values import CatalogueItem

RATINGS = 1_200
PART = RATINGS // 6
DIMENSION = 32


def adapted(source: Path, folder: Path, seed: int = 3) -> Path:
    """The same model a few steps on: weights a little elsewhere."""
    shutil.copytree(source, folder)
    rng = np.random.default_rng(seed)
    weights = {
        name: one + (0.02 * one.std() * rng.standard_normal(one.shape)).astype(one.dtype)
        for name, one in load_file(source / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def catalogue(engine: Engine) -> dict[str, CatalogueItem]:
    """As it was published."""
    found: dict[str, CatalogueItem] = {}
    topic = engine.settings.kafka.prefix + Topic.CATALOGUE
    for number in range(engine.settings.kafka.partitions):
        for record in read_partition(engine.client, TopicPartition(topic, number), 0):
            one = decode_item(record.value)
            found[one.item_id] = one
    return found


def kill(engine: Engine, role: str) -> None:
    os.kill(engine.supervisor.pids[role], signal.SIGKILL)


def made_by(engine: Engine, vectors: str) -> Callable[[], bool]:
    """Every item is."""

    def look() -> bool:
        return {vectors_of(one.revision) for one in catalogue(engine).values()} == {vectors}

    return look


def kill_in_the_midst(engine: Engine, vectors: str, word: Callable[[], object]) -> None:
    """Of making the items anew by who is named by `word`: serve dies with the first few."""
    feed = Broadcast(engine.settings.kafka.prefix + Topic.CATALOGUE, engine.client)
    feed.start(last=0)

    def begun() -> bool:
        return any(vectors_of(item_of(one).revision) == vectors for one in feed.drain())

    try:
        word()
        engine.wait(begun, "the first items")
        kill(engine, "serve")
    finally:
        feed.stop()
    made = [vectors_of(one.revision) == vectors for one in catalogue(engine).values()]
    assert 0 < sum(made) < len(made), "it was over before serve died: more items are needed"


def item_of(record: BroadcastRecord) -> CatalogueItem:
    assert record.value is not None
    return decode_item(record.value)


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_an_encoder_comes_into_force_and_goes_while_workers_are_killed(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    items, events = bundled_log(RATINGS)
    parts = [events[start : start + PART] for start in range(0, RATINGS, PART)]
    old = tiny_model(tmp_path / "tiny")
    new = adapted(old, tmp_path / "adapted")
    own = {
        "UPWELL_ENCODER": str(old),
        "UPWELL_DEVICE": "cpu",
        "UPWELL_ENCODER_ENGINE": "torch",
        "UPWELL_VECTORS": str(tmp_path / "vectors"),
        "UPWELL_CHECKPOINT_EXAMPLES": "300",
    }
    with Engine(kafka, prefix, tmp_path / "data", **own) as engine:
        play(engine, [*items, *parts[0]])
        before = catalogue(engine)
        ready = make_ready(engine.settings, str(new), lambda _: None)
        assert ready.likeness > 0.95
        assert (new / FILE).exists()
        play(engine, parts[1])
        put_into_force(engine.settings, ready, 1)
        kill(engine, "serve")  # before it has taken over
        kill_in_the_midst(engine, ready.encoder.vectors, lambda: None)
        kill(engine, "learn")
        play(engine, parts[2])
        engine.wait(made_by(engine, ready.encoder.vectors), "all items")
        play(engine, parts[3])
        assert engine.metrics.newest("serve")["encoder"].startswith("adapted@")
        changed = catalogue(engine)
        expected = dict(zip(ready.item_ids, ready.new, strict=True))
        for item_id, one in changed.items():
            np.testing.assert_array_equal(one.vector, expected[item_id])
        back = ready.before
        kill_in_the_midst(engine, back.vectors, lambda: roll_back(engine.settings, 2))
        play(engine, parts[4])
        engine.wait(made_by(engine, back.vectors), "all items")
        for item_id, one in catalogue(engine).items():
            np.testing.assert_array_equal(one.vector, before[item_id].vector)
        play(engine, parts[5])
        lists = newest_lists(kafka, prefix)
    assert_once(engine, old, items, events, lists)
    never = adapted(old, tmp_path / "never", seed=4)
    with (
        pytest.raises(SettingsError, match="serve ended with exit code 2"),
        Engine(kafka, prefix, tmp_path / "data", **{**own, "UPWELL_ENCODER": str(never)}),
    ):
        pass
    said = (tmp_path / "data" / "logs" / "serve.log").read_text()
    assert "never was: set UPWELL_ENCODER" in " ".join(said.split())


def assert_once(
    engine: Engine,
    model: Path,
    items: list[LogRecord],
    events: list[LogRecord],
    lists: Mapping[str, Mapping[str, int]],
) -> None:
    """Every event is in its user's state and in the model once, and has its list."""
    ids = sorted({str(event["user_id"]) for event in values(events)})
    pseudonyms = Pseudonymizer(load_or_create_key(engine.settings.data / "key"))
    users = [pseudonyms.pseudonym(user_id) for user_id in ids]
    with closing(load_encoder(str(model), device="cpu", engine="torch")) as encoder:
        inline = undisturbed(engine, encoder, items, events)
    store = open_store("edge", folder=engine.settings.data / "store", dimension=DIMENSION)
    with closing(store):
        for user, state in zip(users, store.read_users(users), strict=True):
            expected = inline.users.read([user])[user]
            assert state is not None
            assert state.events == expected.events
            assert state.history[-1].event_id == expected.history[-1].event_id
            assert len(state.history) == len(expected.history)
            assert set(state.had) == set(expected.had)
            assert by_partition(state.watermark) == dict(expected.watermark)
            near = np.dot(state.intent, expected.intent)
            assert near > 0.97 * np.linalg.norm(state.intent) * np.linalg.norm(expected.intent)
    folder = LocalFolder(engine.settings.data / "models")
    newest = checkpoint.latest(folder)
    assert newest is not None
    arrays, meta = checkpoint.load(folder, newest.name)
    learner = Learner(engine.settings.learner, DIMENSION, engine.settings.learner.seed)
    learner.restore(arrays, meta["learner"])
    assert item_events(learner) == item_events(inline.learner)
    assert lists == {
        user_id: dict(inline.users.read([user])[user].watermark)
        for user_id, user in zip(ids, users, strict=True)
    }
