"""A replica that reads `models`: level after each record, whatever it missed, and a version is
loaded only where it must be.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from learner.ranking.parameters import prefixed, settle
from learner.release.checkpoint import prune, save_checkpoint
from learner.release.folder import LocalFolder
from learner.release.guard import Ruling, Verdict
from learner.release.replica import SERVING
from learner.training.learner import Learner
from stream.broker.model_records import (
    Version,
    delta_record,
    rollback_record,
    ruling_record,
    version_record,
)
from stream.chain.publish import Outgoing
from stream.chain.records import BroadcastRecord
from stream.serve.model_reader import ModelReader
from tests.learner.training.small import learner_of, log, replica_of, requests_of
from upwell.errors import ModelError

EXAMPLES, STATES = log(120)
NOWHERE = Version("0-x", "0000000000000009.json", "", {})
RULING = Ruling(Verdict.WAIT, learned=0, targets=0, candidate=0.0, serving=0.0)


class Reading:
    """A replica over a folder; offsets go on by themselves."""

    def __init__(self, folder: Path) -> None:
        self.replica = replica_of()
        self.reader = ModelReader(self.replica, LocalFolder(folder))
        self._offset = 0

    def read(self, record: Outgoing, skipped: int = 0) -> None:
        offset = self._offset + skipped
        found = BroadcastRecord(0, offset, None, record.value, dict(record.headers), 0)
        self._offset = offset + 1
        settle(self.reader.read(found))


def saved(learner: Learner, folder: Path) -> Version:
    """A checkpoint of the learner as the learn process announces it."""
    arrays = learner.arrays() | prefixed(SERVING, learner.parameters.whole())
    made = save_checkpoint(
        LocalFolder(folder), arrays, {"learner": json.loads(json.dumps(learner.meta()))}
    )
    return Version(learner.version, made.name, made.sha256, learner.watermark)


def assert_level(reading: Reading, learner: Learner) -> None:
    assert reading.replica.version == learner.version
    assert reading.replica.rank(requests_of(STATES)) == learner.rank(requests_of(STATES))


def test_deltas_in_turn_need_no_checkpoint(tmp_path: Path) -> None:
    learner, reading = learner_of([]), Reading(tmp_path)
    for start in range(0, len(EXAMPLES), 40):
        learner.learn(EXAMPLES[start : start + 40])
        reading.read(delta_record(learner.take_delta()))
        reading.read(version_record(NOWHERE))  # that cannot be loaded, and need not be
        assert_level(reading, learner)


@pytest.mark.parametrize("gap", [False, True])
def test_who_begins_or_missed_records_starts_from_a_version(gap: bool, tmp_path: Path) -> None:
    learner, reading = learner_of(EXAMPLES[:40]), Reading(tmp_path)
    if gap:
        reading.read(delta_record(learner.take_delta()))
    learner.learn(EXAMPLES[40:80])
    learner.take_delta()  # which nobody here reads
    reading.read(version_record(saved(learner, tmp_path)), skipped=1)
    assert_level(reading, learner)
    learner.learn(EXAMPLES[80:])
    reading.read(delta_record(learner.take_delta()))
    assert_level(reading, learner)


def test_a_roll_back_is_taken_whatever_was_read(tmp_path: Path) -> None:
    learner, reading = learner_of(EXAMPLES[:60]), Reading(tmp_path)
    reading.read(delta_record(learner.take_delta()))
    version, before = saved(learner, tmp_path), learner.version
    learner.learn(EXAMPLES[60:])
    reading.read(delta_record(learner.take_delta()))
    assert reading.replica.version == learner.version != before
    reading.read(rollback_record(version))
    assert reading.replica.version == before


@pytest.mark.parametrize("announce", [version_record, rollback_record])
def test_a_version_that_was_replaced_before_it_was_read_is_passed_over_for_the_next(
    announce: Callable[[Version], Outgoing], tmp_path: Path
) -> None:
    learner, reading = learner_of(EXAMPLES[:40]), Reading(tmp_path)
    learner.take_delta()
    old = saved(learner, tmp_path)
    learner.learn(EXAMPLES[40:80])
    between = delta_record(learner.take_delta())
    new = saved(learner, tmp_path)
    prune(LocalFolder(tmp_path), keep=1)
    reading.read(announce(old))
    reading.read(between)
    assert reading.reader.waits
    assert reading.replica.learned == 0
    reading.read(version_record(new))
    assert not reading.reader.waits
    assert_level(reading, learner)
    learner.learn(EXAMPLES[80:])
    reading.read(delta_record(learner.take_delta()))
    reading.read(version_record(NOWHERE))  # it is level again: nothing to load
    assert_level(reading, learner)


def test_the_newest_checkpoint_missing_is_a_fault(tmp_path: Path) -> None:
    learner, reading = learner_of(EXAMPLES[:40]), Reading(tmp_path)
    version = saved(learner, tmp_path)
    (tmp_path / version.file).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        reading.read(version_record(version))


def test_a_missing_delta_and_a_checkpoint_that_is_not_the_one_announced_are_said(
    tmp_path: Path,
) -> None:
    learner, reading = learner_of(EXAMPLES[:60]), Reading(tmp_path)
    learner.take_delta()
    other = replace(saved(learner, tmp_path), sha256="00" * 32)
    learner.learn(EXAMPLES[60:])
    with pytest.raises(ModelError, match="restore the newest checkpoint"):
        reading.read(delta_record(learner.take_delta()))
    with pytest.raises(ModelError, match="not the one announced"):
        reading.read(rollback_record(other))
    with pytest.raises(ModelError, match="no version"):
        reading.read(replace(rollback_record(other), value=b"{}"))


def test_a_ruling_changes_nothing(tmp_path: Path) -> None:
    learner, reading = learner_of(EXAMPLES), Reading(tmp_path)
    reading.read(delta_record(learner.take_delta()))
    reading.read(ruling_record(RULING, "0-x"))
    assert_level(reading, learner)
