"""What the learner answers who asks it to go back; that it does so on a real broker is shown in
tests/e2e/test_snapshot_running.py.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.rollback import ERRAND
from stream.chain.publish import Outgoing
from stream.learn.rollback import BEGAN, newest_afresh, roll_back_if_asked
from upwell.system.errands import ask


class Sent:
    """A sender whose broker takes all."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.truncated: list[int] = []

    def confirm(self) -> None:
        pass

    def send(self, record: Outgoing) -> int:
        self.records.append(record)
        return len(self.records)

    def forgotten(self) -> tuple[str, ...]:
        return ("u3",)

    def truncate(self, offset: int) -> None:
        self.truncated.append(offset)


def answered(home: Path, folder: LocalFolder, version: str, sent: Sent) -> tuple[str | None, bool]:
    """What the asker hears, and whether the learner is to resume."""
    heard: list[str | None] = []
    asked: Mapping[str, Any] = {"version": version}
    asker = threading.Thread(target=lambda: heard.append(ask(home, ERRAND, asked, 60.0)))
    asker.start()
    resumes = False
    while asker.is_alive():
        resumes |= roll_back_if_asked(home, folder, sent)  # type: ignore[arg-type]
    asker.join()
    return heard[0], resumes


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    """Of two versions, beside the folder where the learner is asked."""
    (tmp_path / "home").mkdir()
    made = LocalFolder(tmp_path / "elsewhere")
    for version in ("1-a", "2-b"):
        meta: dict[str, Any] = {"version": version, "learner": {"watermark": {}}}
        checkpoint.save_checkpoint(made, {"x": np.ones(3)}, meta)
    return made


def test_the_older_one_is_the_newest_and_is_said(folder: LocalFolder, tmp_path: Path) -> None:
    sent = Sent()
    assert answered(tmp_path / "home", folder, "1-a", sent) == (None, True)
    newest = checkpoint.latest(folder)
    assert newest is not None
    assert (newest.number, checkpoint.load(folder, newest.name)[1]["version"]) == (3, "1-a")
    assert (len(sent.records), sent.truncated) == (1, [1])


def test_what_is_wrong_is_the_answer_and_ends_nothing(folder: LocalFolder, tmp_path: Path) -> None:
    sent, home = Sent(), tmp_path / "home"
    error, resumes = answered(home, folder, "9-z", sent)
    assert "there are: 2-b, 1-a" in (error or "")
    stem = Path(checkpoint.every(folder)[-1].name).stem
    folder.write(f"{stem}.safetensors", b"torn")
    torn, resumed = answered(home, folder, "2-b", sent)
    assert "is torn" in (torn or "")
    assert not resumes
    assert not resumed
    assert not sent.records
    assert len(checkpoint.every(folder)) == 2


def test_the_newest_that_began_afresh_is_found_behind_what_it_learned_since(
    folder: LocalFolder,
) -> None:
    assert newest_afresh(folder) is None
    for version, began in (("3-c", True), ("4-d", True), ("5-e", False)):
        meta: dict[str, Any] = {"version": version, **({BEGAN: True} if began else {})}
        checkpoint.save_checkpoint(folder, {"x": np.ones(3)}, meta)
    found = newest_afresh(folder)
    assert found is not None
    assert found[1] == "4-d"
    gone = Path(checkpoint.every(folder)[-1].name).stem
    folder.write(f"{gone}.safetensors", b"torn")
    assert newest_afresh(folder) == found
