"""A user acts, is forgotten and comes back, on the real broker; learn is killed between the request
and its confirmation. Another was a visitor before, who is forgotten with them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.buffer import digest
from store import open_store
from stream.broker.topics import partition_of
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.learn.letters import LetterIndex
from tests.e2e.engine import Engine
from upwell.client import UpwellClient
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.system.clock import now_ms

ITEMS = 6


@pytest.mark.timeout(240)
def test_a_forgotten_user_is_nowhere_though_learn_was_killed_and_begins_afresh(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Engine(
        kafka, prefix, tmp_path, UPWELL_FUSED="on", UPWELL_CHECKPOINT_EXAMPLES="4"
    ) as engine:
        settings = engine.settings
        with UpwellClient(kafka, settings.kafka) as upwell:
            learn_of_both(engine, upwell, prefix)
            os.kill(engine.supervisor.pids["learn"], signal.SIGSTOP)
            answers = upwell.confirmations("ann", timeout=90)
            asked = upwell.control("forget_user", "op", "asked to", user_id="ann")
            upwell.flush()
            engine.wait(lambda: engine.lag.behind() == 0, "serve to forget")
            os.kill(engine.supervisor.pids["learn"], signal.SIGKILL)
            engine.wait(
                partial(restarted, engine, engine.supervisor.pids["learn"]),
                "learn to be started again",
            )
            confirmed = next(answers)
            assert confirmed.event_id == asked.event_id
            assert confirmed.removed["state"] == confirmed.removed["vector"] == 1
            assert confirmed.removed["letters"] == 1
            assert confirmed.removed["examples"] > 0
            assert confirmed.removed["checkpoints"] > 0
            names = {
                user: Pseudonymizer(load_or_create_key(tmp_path / "key")).pseudonym(user)
                for user in ("ann", "bob", "visitor")
            }
            assert_learned_of(tmp_path / "models", names, {"bob", "visitor"})
            assert LetterIndex(engine.client, prefix).of({names["ann"]}) == []
            assert list(upwell.dead_letters(timeout=0.5)) == []

            done = forget_command(settings.kafka.address or "", prefix, tmp_path, "bob")
            assert done.returncode == 0, done.stderr
            assert "bob is forgotten; removed: 1 state" in done.stderr
            assert orjson.loads(done.stdout)["user_id"] == "bob"
            assert_learned_of(tmp_path / "models", names, set())
            upwell.click("ann", "i5")
            upwell.flush()
            engine.wait(engine.settled, "the fresh user")
    store = open_store("edge", folder=tmp_path / "store", dimension=384)
    try:
        ann, bob, visitor = store.read_users([names[one] for one in ("ann", "bob", "visitor")])
    finally:
        store.close()
    assert bob is None
    assert visitor is None
    assert ann is not None
    assert (ann.events, ann.had) == (1, ("i5",))
    with (
        UpwellClient(kafka, settings.kafka) as upwell,
        pytest.raises(BrokerError, match=r"not confirmed within 0\.2 s"),
    ):
        upwell.forget("ann", "op", "nobody runs any more", timeout=0.2)


@pytest.mark.timeout(240)
def test_events_on_a_wrong_partition_that_are_sent_on_after_the_request_bring_nobody_back(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    """As an app's own partitioner puts them: ann's clicks alone are astray, bob's request too. All
    stands on the topics before serve starts, so what is sent on is appended after the requests.
    """
    engine = Engine(kafka, prefix, tmp_path)
    partitions = engine.settings.kafka.partitions
    producer = Producer({"bootstrap.servers": kafka})

    def put(topic: Topic, user: str, away: int, value: Mapping[str, object]) -> None:
        whole = {"event_id": f"{topic}-{user}", "ts": now_ms(), "user_id": user, **value}
        home = partition_of(user.encode(), partitions)
        producer.produce(
            prefix + topic, orjson.dumps(whole), user.encode(), (home + away) % partitions
        )
        assert producer.flush(30) == 0

    for user in ("ann", "bob", "cid"):
        put(Topic.CLICKS, user, 1, {"item_id": "i0", "action": "click"})
    forgotten = {"kind": "forget_user", "by": "op", "why": "asked to"}
    put(Topic.CONTROLS, "ann", 0, forgotten)
    put(Topic.CONTROLS, "bob", 1, forgotten)
    with engine:
        engine.wait(engine.settled, "all to be sent on and served")
    name = Pseudonymizer(load_or_create_key(tmp_path / "key")).pseudonym
    store = open_store("edge", folder=tmp_path / "store", dimension=384)
    try:
        ann, bob, cid = store.read_users([name(user) for user in ("ann", "bob", "cid")])
    finally:
        store.close()
    assert cid is not None  # who asked nothing
    assert [one.item_id for one in cid.history] == ["i0"]
    assert (ann, bob) == (None, None)


def learn_of_both(engine: Engine, upwell: UpwellClient, prefix: str) -> None:
    """Until ann and bob are served, learned and in a checkpoint, and one wrong click of ann's is a
    dead letter.
    """
    for number in range(ITEMS):
        upwell.item(f"i{number}", f"Title {number}")
    upwell.flush()
    engine.wait(engine.settled, "the catalogue")
    for user in ("ann", "bob", "visitor"):
        for number in range(ITEMS):
            upwell.click(user, f"i{number}")
    upwell.flush()
    wrong = (
        b'{"event_id": "w", "ts": 1700000000000, "user_id": "ann", '
        b'"item_id": "i0", "action": "clik"}'
    )
    with KafkaProducer(**engine.client) as producer:
        producer.send(prefix + Topic.CLICKS, key=b"ann", value=wrong)
    upwell.merge("visitor", "bob", "shop", "login")
    upwell.flush()
    engine.wait(engine.settled, "all users to be served and learned")
    engine.wait(
        partial(saved, engine.settings.data / "models"), "a checkpoint"
    )  # figures go out just before it is saved


def saved(folder: Path) -> bool:
    return bool(checkpoint.every(LocalFolder(folder)))


def restarted(engine: Engine, killed: int) -> bool:
    return engine.supervisor.pids["learn"] != killed


def assert_learned_of(folder: Path, names: dict[str, str], whom: set[str]) -> None:
    """All checkpoints hold windows of these users alone, and none a pseudonym."""
    for one in checkpoint.every(LocalFolder(folder)):
        users = set(
            checkpoint.load(LocalFolder(folder), one.name)[0]["fused.trainer.buffer.users"].tolist()
        )
        assert users == {digest(names[user]) for user in whom}
        file = folder / one.name
        held = file.read_bytes() + file.with_suffix(".safetensors").read_bytes()
        assert not any(name.encode() in held for name in names.values())


def forget_command(
    kafka: str, prefix: str, folder: Path, user: str
) -> subprocess.CompletedProcess[str]:
    own = {
        "UPWELL_KAFKA": kafka,
        "UPWELL_PREFIX": prefix,
        "UPWELL_DATA": str(folder),
        "COLUMNS": "200",
    }
    command = [sys.executable, "-m", "stream.ops.cli", "forget", "--user", user, "--json"]
    return subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
