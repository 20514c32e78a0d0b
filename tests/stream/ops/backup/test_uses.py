"""A desk in a snapshot: on the broker of before, on another one, without who was forgotten since.
On real Kafka.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from encoders.hashing import HashingEncoder
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.topics import TOPICS
from stream.chain.effects import Forgotten
from stream.chain.privacy import Pseudonymizer
from stream.ops.backup.uses import forget_in_uses
from stream.ops.snapshot import restore, snapshot
from stream.uses.desk import SupportDesk
from stream.uses.fold import fold
from stream.uses.options import UseOptions
from stream.uses.topics import use_topics
from tests.stream.uses.desks import (
    KEY,
    PARTITIONS,
    Producing,
    answers,
    desk_options,
    running,
    until,
)
from tests.stream.uses.test_desk import NAMES, NOW, rows
from tests.topics import delete_topics
from upwell.settings import KafkaSettings, Settings
from upwell.system.lock import try_lock

DIMENSION = 384


@pytest.fixture
def settings(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    """Of an engine with a key and no more than a desk."""
    own = KafkaSettings(address=kafka, prefix=prefix, partitions=PARTITIONS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "key").write_bytes(KEY)
    return replace(Settings(), kafka=own, data=tmp_path / "data")


def desk(settings: Settings) -> UseOptions:
    kafka, home = settings.kafka, settings.data / "uses" / "desk"
    home.mkdir(parents=True, exist_ok=True)
    return desk_options(kafka.address or "", kafka.prefix, home, DIMENSION)


def asked(settings: Settings, numbers: range) -> SupportDesk:
    """A desk that has answered these questions too, and heard which template was right."""
    options, use = desk(settings), SupportDesk(DIMENSION, 0.9)
    before = len(answers(options))
    with running(options, use):
        producing = Producing(options)
        for number in numbers:
            producing.ask(number)
            producing.choose(number)
        producing.close()
        until(lambda: len(answers(options)) >= before + len(numbers))
        until(lambda: choices(use) >= numbers.stop)
    return use


def choices(use: SupportDesk) -> int:
    return sum(use.figures()["choices"].values())


def times_answered(settings: Settings) -> Counter[str]:
    return Counter(one.question_id for one in answers(desk(settings)))


def once(numbers: range) -> Counter[str]:
    return Counter(f"q{number}" for number in numbers)


@pytest.mark.parametrize("runs", [True, False])
def test_a_desk_goes_on_from_a_snapshot_on_the_broker_of_before(
    settings: Settings, tmp_path: Path, runs: bool
) -> None:
    asked(settings, range(20))
    held = try_lock(settings.data / "uses" / "desk" / "owner.lock") if runs else None
    said = snapshot(settings, tmp_path / "taken", print)
    if held is not None:
        os.close(held)
    assert said["running"] is runs
    asked(settings, range(20, 30))
    fresh = replace(settings, data=tmp_path / "fresh")
    restore(fresh, tmp_path / "taken", print)
    use = asked(fresh, range(30, 40))
    assert times_answered(fresh) == once(range(40))
    assert choices(use) == 40


def test_a_desk_goes_on_from_a_snapshot_on_another_broker(
    settings: Settings, tmp_path: Path
) -> None:
    """What it had not taken in by its checkpoint is sent there, and answered."""
    asked(settings, range(20))
    home = LocalFolder(settings.data / "uses" / "desk")
    newest = checkpoint.latest(home)
    assert newest is not None
    (tmp_path / "kept").mkdir()
    for name in home.names():
        (tmp_path / "kept" / name).write_bytes(home.read(name))
    asked(settings, range(20, 30))
    home.remove(home.names())
    for path in (tmp_path / "kept").iterdir():  # as if it had not come to one since
        home.write(path.name, path.read_bytes())
    held = try_lock(settings.data / "uses" / "desk" / "owner.lock")
    assert held is not None
    snapshot(settings, tmp_path / "taken", print)
    os.close(held)
    options = desk(settings)
    specs = [*TOPICS, *use_topics(SupportDesk(DIMENSION, 0.9))]
    delete_topics(options.client, [settings.kafka.prefix + one.topic for one in specs])
    fresh = replace(settings, data=tmp_path / "fresh")
    restore(fresh, tmp_path / "taken", print, erasures=[])
    use = asked_on_another(fresh)
    assert times_answered(fresh) == once(range(20, 40))
    assert choices(use) == 40


def asked_on_another(fresh: Settings) -> SupportDesk:
    options, use = desk(fresh), SupportDesk(DIMENSION, 0.9)
    with running(options, use):
        producing = Producing(options)
        for number in range(30, 40):
            producing.ask(number)
            producing.choose(number)
        producing.close()
        until(lambda: choices(use) >= 40)
    return use


@pytest.mark.parametrize(
    ("offset", "since", "gone"),
    [(7, False, True), (6, False, False), (0, True, True)],
    ids=["behind the checkpoint", "within it", "since, on another broker"],
)
def test_who_was_forgotten_behind_its_checkpoint_is_forgotten_in_it(
    tmp_path: Path, offset: int, since: bool, gone: bool
) -> None:
    settings = replace(Settings(), data=tmp_path)
    home = LocalFolder(tmp_path / "uses" / "desk")
    (tmp_path / "uses" / "desk").mkdir(parents=True)
    use, by = SupportDesk(DIMENSION, 0.9), NAMES.pseudonym("u")
    fold(use, HashingEncoder(DIMENSION), NAMES, rows(), NOW)
    kept = len(use.held(by))
    meta = {"use": dict(use.meta()), "ends": [["controls", 1, 7]], "forgotten": 2}
    checkpoint.save_checkpoint(home, use.arrays(), meta)
    entry = Forgotten(by, NOW, "controls-1", offset, 0)
    other = Forgotten(Pseudonymizer(KEY).pseudonym("another"), NOW, "controls-1", 9, 0)
    removed = use.forget(by) if gone else 0
    assert forget_in_uses(settings, [entry, other], [by] if since else []) == removed
    assert bool(removed) is gone
    newest = checkpoint.latest(home)
    assert newest is not None
    arrays, found = checkpoint.load(home, newest.name)
    again = SupportDesk(DIMENSION, 0.9)
    again.restore(arrays, found["use"])
    assert len(again.held(by)) == (0 if gone else kept)
    assert found["forgotten"] == 2 + removed
    assert len(checkpoint.every(home)) == 1


def test_without_uses_nothing_is_asked_of_them(tmp_path: Path) -> None:
    entry = Forgotten("u", NOW, "controls-1", 0, 0)
    assert forget_in_uses(replace(Settings(), data=tmp_path), [entry], [entry.user]) == 0
