"""What is heard of `models`, and which versions checkpoints hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gateway.topics.versions import MOST_RULINGS, Versions
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.release.guard import Ruling, Verdict
from stream.broker.model_records import Version, rollback_record, ruling_record, version_record
from stream.chain.publish import Outgoing
from stream.chain.records import BroadcastRecord
from upwell.errors import ModelError

RULING = Ruling(Verdict.PROMOTE, learned=900, targets=200, candidate=0.08, serving=0.07)
NAMED = Version("2-b", "0000000000000002-abc.json", "00", {})


class Counted(LocalFolder):
    """Which files were read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.read_names: list[str] = []

    def read(self, name: str) -> bytes:
        self.read_names.append(name)
        return super().read(name)


def record(one: Outgoing, at: int) -> BroadcastRecord:
    return BroadcastRecord(0, at, one.key, one.value, dict(one.headers), at)


def heard(records: Sequence[Outgoing], folder: Path) -> Versions:
    versions = Versions(LocalFolder(folder), folder)
    for at, one in enumerate(records):
        versions.hear(record(one, at))
    return versions


def test_rulings_and_those_who_went_back_are_kept_the_latest_first(tmp_path: Path) -> None:
    versions = heard(
        [ruling_record(RULING, "1-a"), version_record(NAMED), rollback_record(NAMED)], tmp_path
    )
    assert versions.rulings() == [
        {"verdict": "went_back", "version": "2-b", "at": 2},
        {
            "verdict": "promote", "learned": 900, "targets": 200, "candidate": 0.08,
            "serving": 0.07, "broken": [], "short": [], "version": "1-a", "at": 0,
        },
    ]  # fmt: skip
    many = heard([ruling_record(RULING, "1-a")] * (MOST_RULINGS + 1), tmp_path)
    assert len(many.rulings()) == MOST_RULINGS


def test_what_is_no_ruling_is_a_fault_of_who_wrote_it(tmp_path: Path) -> None:
    wrong = ruling_record(RULING, "1-a")
    for value in (b"{", b"7", b""):
        with pytest.raises(ModelError, match="who else writes to that topic"):
            Versions(LocalFolder(tmp_path), tmp_path).hear(
                BroadcastRecord(0, 0, None, value, dict(wrong.headers), 0)
            )


def test_each_checkpoint_is_read_once_and_a_version_told_once(tmp_path: Path) -> None:
    folder = Counted(tmp_path)
    versions = Versions(folder, tmp_path)
    assert versions.versions() == []
    for version in ("1-a", "2-b", "1-a"):
        checkpoint.save_checkpoint(folder, {"x": np.ones(3)}, {"version": version})
        versions.versions()
    assert versions.versions() == ["1-a", "2-b"]
    arrays = [name for name in folder.read_names if name.endswith(".safetensors")]
    assert len(arrays) == len(set(arrays)) == 3
    checkpoint.prune(folder, 1)
    assert versions.versions() == ["1-a"]


class PrunedMeanwhile(LocalFolder):
    """Only the newest checkpoint is left once arrays are looked into."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._plain = LocalFolder(path)

    def read(self, name: str) -> bytes:
        if name.endswith(checkpoint.WEIGHTS):
            checkpoint.prune(self._plain, keep=1)
        return super().read(name)


def test_a_version_that_goes_while_they_are_read_is_none(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for number in range(2):
        meta = {"version": str(number)}
        checkpoint.save_checkpoint(folder, {"a": np.full(1, number)}, meta)
    assert Versions(PrunedMeanwhile(tmp_path), tmp_path).versions() == ["1"]
