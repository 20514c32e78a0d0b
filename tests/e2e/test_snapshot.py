"""Snapshot, restore into a fresh folder, go on; and go back to an older version: on the real
broker, compared with an undisturbed run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.ops.snapshot import restore, rollback, snapshot
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from tests.e2e.engine import Engine, bundled_log, values
from tests.e2e.test_crash import (
    assert_examples_are_the_same,
    assert_states_are_the_same,
    undisturbed,
)
from upwell.errors import SnapshotError
from upwell.ports import Encoder

RATINGS = 900


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_restored_engine_goes_on_from_the_snapshot_and_one_rolled_back_learns_again(
    kafka: str, prefix: str, tmp_path: Path, language_model: Encoder
) -> None:
    items, events = bundled_log(RATINGS)
    said: list[str] = []
    old, taken = tmp_path / "old", tmp_path / "taken"
    with Engine(kafka, prefix, old, UPWELL_CHECKPOINT_EXAMPLES="200") as engine:
        play(
            engine, items
        )  # a vector that comes after its item's event would count only with the user's next one
        play(engine, events[:600])
    snapshot(engine.settings, taken, said.append)
    with Engine(kafka, prefix, old) as engine:
        play(
            engine, events[600:750]
        )  # after the snapshot, so its effect comes back from the topics
    fresh = replace(engine.settings, data=tmp_path / "fresh")
    restore(fresh, taken, said.append)
    with pytest.raises(SnapshotError, match="is not empty"):
        restore(fresh, taken, said.append)
    with Engine(kafka, prefix, fresh.data) as engine:
        play(engine, events[750:])
    inline = undisturbed(engine, language_model, items, events)
    check(engine, inline, events)
    versions = [
        str(checkpoint.load(LocalFolder(fresh.data / "models"), one.name)[1]["version"])
        for one in checkpoint.every(LocalFolder(fresh.data / "models"))
    ]
    with pytest.raises(SnapshotError, match=f"there are: {versions[0]}"):
        rollback(fresh, "0-none", said.append)
    rollback(fresh, versions[-1], said.append)
    with Engine(kafka, prefix, fresh.data) as engine:
        engine.wait(engine.settled, "what came after the version to be learned again")
    check(engine, inline, events)
    torn = next((taken / "store").rglob("*.json"))
    torn.write_bytes(torn.read_bytes() + b" ")
    with pytest.raises(SnapshotError, match=r"is torn \(its sha256 does not fit\)"):
        restore(replace(fresh, data=tmp_path / "third"), taken, said.append)
    assert not (tmp_path / "third").exists()


def play(engine: Engine, records: list[LogRecord]) -> None:
    with Player(
        engine.client, engine.settings.kafka.prefix, lambda _: None, lambda: None
    ) as player:
        player.play(records, Pace())
    engine.wait(engine.settled, "all to be served and learned")


def check(engine: Engine, inline: InlineEngine, events: list[LogRecord]) -> None:
    pseudonyms = Pseudonymizer(load_or_create_key(engine.settings.data / "key"))
    users = [
        pseudonyms.pseudonym(user)
        for user in sorted({str(event["user_id"]) for event in values(events)})
    ]
    assert_states_are_the_same(engine, inline, users)
    assert_examples_are_the_same(engine, inline)
