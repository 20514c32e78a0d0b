"""Snapshots of a running engine with events flowing, killed in the midst, restored to a new folder
and to other topics: compared with an undisturbed run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from store import open_store
from stream.broker.topics import TOPICS
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.ops.backup.running import RECORDS
from stream.ops.snapshot import restore, rollback, snapshot
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from tests.e2e.engine import Engine, bundled_log, values
from tests.e2e.test_crash import undisturbed
from tests.e2e.test_snapshot import check, play
from tests.topics import delete_topics
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.ports import Encoder

RATINGS = 900
MANY_RATINGS = 3_000
"""More than serve works off while they are sent."""
FLOW = Pace(rate=10.0)
"""Slow enough that what is done while events flow is done before they are all sent."""


@pytest.mark.timeout(400)
def test_a_snapshot_of_a_running_engine_goes_on_in_a_new_folder(
    kafka: str, prefix: str, tmp_path: Path, language_model: Encoder
) -> None:
    items, events = bundled_log(RATINGS)
    said: list[str] = []
    taken, killed = tmp_path / "taken", tmp_path / "killed"
    with Engine(kafka, prefix, tmp_path / "old", UPWELL_CHECKPOINT_EXAMPLES="200") as engine:
        play(engine, items)
        play(engine, events[:300])
        with flowing(engine, events[300:]) as player:
            kill_a_snapshot(engine, killed)
            with pytest.raises(SnapshotError, match="is no whole snapshot"):
                restore(
                    replace(engine.settings, data=tmp_path / "never"),
                    partial_of(killed),
                    said.append,
                )
            snapshot(engine.settings, taken, said.append)
        flown = 300 + player.sent
        play(engine, events[flown:750])
    fresh = replace(engine.settings, data=tmp_path / "fresh")
    restore(fresh, taken, said.append)
    with Engine(kafka, prefix, fresh.data, UPWELL_CHECKPOINT_EXAMPLES="200") as engine:
        play(engine, events[max(flown, 750) :])
        models = LocalFolder(fresh.data / "models")
        versions = [
            str(checkpoint.load(models, one.name)[1]["version"]) for one in checkpoint.every(models)
        ]
        pids = dict(engine.supervisor.pids)
        with pytest.raises(SnapshotError, match=f"there are: .*{versions[0]}"):
            rollback(engine.settings, "0-none", said.append)
        learned, resumed = engine.metrics.newest("learn")["examples"], times_resumed(engine)
        rollback(engine.settings, versions[1], said.append)  # one more may come, and the last go
        engine.wait(
            lambda: engine.metrics.newest("learn")["examples"] > learned and engine.settled(),
            "what came after the version to be learned again",
        )
        assert engine.supervisor.pids == pids
        assert times_resumed(engine) == resumed + 1
    check(engine, undisturbed(engine, language_model, items, events), events)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_on_another_cluster_no_event_is_lost_or_counted_twice(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    items, events = bundled_log(MANY_RATINGS)
    taken, said = tmp_path / "taken", list[str]()
    with Engine(kafka, prefix, tmp_path / "old", UPWELL_CHECKPOINT_EXAMPLES="200") as engine:
        play(engine, items)
        play(engine, events[:300])
        with Player(engine.client, prefix, lambda _: None, lambda: None) as player:
            player.play(events[300:-300], Pace())
        with flowing(engine, events[-300:]):
            snapshot(engine.settings, taken, said.append)
    waited = [
        line
        for line in (taken / RECORDS).read_text().splitlines()
        if json.loads(line)["topic"] == Topic.REVIEWS
    ]
    assert len(waited) > len(events) // 10, "nearly all was worked off: nothing would be lost"
    other = replace(engine.settings.kafka, prefix=f"{prefix}other.")
    with pytest.raises(SnapshotError, match="was made with prefix"):
        restore(replace(engine.settings, kafka=other, data=tmp_path / "x"), taken, said.append)
    delete_all(engine)
    fresh = replace(engine.settings, data=tmp_path / "fresh")
    restore(fresh, taken, said.append, erasures=[])
    with Engine(kafka, prefix, fresh.data) as engine:
        play(engine, events[-300:])  # also those that were sent before the snapshot was whole
    assert seen(engine, events) == wanted(engine, events)


class Enough(Exception):
    """Ends a flow."""


@contextmanager
def flowing(engine: Engine, records: list[LogRecord]) -> Iterator[Player]:
    """Events are sent all the while, not all of them; `sent` of the player is final afterwards."""
    started, stop = threading.Event(), threading.Event()

    def tick() -> None:
        started.set()
        if stop.is_set():
            raise Enough

    def run() -> None:
        with suppress(Enough):
            player.play(records, FLOW)

    prefix = engine.settings.kafka.prefix
    with Player(engine.client, prefix, lambda _: None, tick) as player:
        thread = threading.Thread(target=run)
        thread.start()
        try:
            assert started.wait(60.0)
            yield player
        finally:
            stop.set()
            thread.join()
        assert player.sent < len(records), "all was sent before the end: the flow is too fast"


def times_resumed(engine: Engine) -> int:
    return (engine.settings.data / "logs" / "learn.log").read_text().count("resumed at")


def partial_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")


def kill_a_snapshot(engine: Engine, folder: Path) -> None:
    """`upwell snapshot` as a process of its own, killed once it has written something."""
    environ = {
        **os.environ,
        "UPWELL_KAFKA": engine.settings.kafka.address or "",
        "UPWELL_PREFIX": engine.settings.kafka.prefix,
        "UPWELL_DATA": str(engine.settings.data),
    }
    command = [sys.executable, "-m", "stream.ops.cli", "snapshot", str(folder)]
    with subprocess.Popen(command, env=environ) as process:
        try:
            engine.wait(lambda: partial_of(folder).exists() or process.poll() is not None, "a part")
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not folder.exists()


def delete_all(engine: Engine) -> None:
    """The broker forgets all: as another cluster would be."""
    prefix = engine.settings.kafka.prefix
    delete_topics(engine.client, [prefix + spec.topic for spec in TOPICS])


def seen(engine: Engine, events: list[LogRecord]) -> dict[str, list[str]]:
    """By pseudonym: the ids of the events that a user's history holds."""
    store = open_store("edge", folder=engine.settings.data / "store", dimension=384)
    try:
        users = list(wanted(engine, events))
        states = zip(users, store.read_users(users), strict=True)
        return {
            user: sorted(entry.event_id for entry in state.history)
            for user, state in states
            if state is not None
        }
    finally:
        store.close()


def wanted(engine: Engine, events: list[LogRecord]) -> dict[str, list[str]]:
    """By pseudonym: what `seen` is to be."""
    pseudonyms = Pseudonymizer(load_or_create_key(engine.settings.data / "key"))
    found: dict[str, list[str]] = {}
    for event in values(events):
        user = pseudonyms.pseudonym(str(event["user_id"]))
        found.setdefault(user, []).append(event["event_id"])
    return {user: sorted(ids) for user, ids in found.items()}
