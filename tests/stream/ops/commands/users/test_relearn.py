"""`upwell relearn` as a script meets it; what learn then does is tests/stream/learn/afresh's."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.rollback import AFRESH
from stream.learn.rollback import BEGAN
from tests.stream.ops.commands.test_json import said
from tests.stream.ops.test_cli import upwell
from upwell.errors import SettingsError
from upwell.system.errands import answer_errand


def answering(data: Path, error: str | None, version: str | None) -> threading.Thread:
    """A learner that says this, and has that version in place then."""
    home = data / "models"
    home.mkdir(parents=True, exist_ok=True)

    def work(asked: Mapping[str, Any]) -> None:
        assert asked["reach"] == 0.5
        if error is not None:
            raise SettingsError(error)

    def answer() -> None:
        while not answer_errand(home, AFRESH, work, SettingsError):
            threading.Event().wait(0.05)
        if version is not None:
            meta = {"version": version, BEGAN: True}
            checkpoint.save_checkpoint(LocalFolder(home), {"x": np.ones(1)}, meta)

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_it_asks_waits_and_says_what_serves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for wait, version in (("60", "3-c"), ("0", None), ("60", "4-d")):
        learner = answering(data, None, version)
        done = upwell(tmp_path, "relearn", "--reach", "0.5", "--wait", wait, "--json")
        learner.join()
        assert done.returncode == 0, done.stderr
        assert said(done, "relearn") == {"version": version}


def test_what_is_in_the_way_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    data = tmp_path / "data"
    learner = answering(data, "it has a budget", None)
    refused = upwell(tmp_path, "relearn", "--reach", "0.5")
    learner.join()
    assert (refused.returncode, refused.stdout) == (8, "")
    assert "it has a budget" in refused.stderr
    learner = answering(data, None, None)
    waited = upwell(tmp_path, "relearn", "--reach", "0.5", "--wait", "0.1")
    learner.join()
    assert waited.returncode == 8
    assert "not in place within 0 s" in waited.stderr
