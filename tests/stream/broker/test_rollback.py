"""How learn is asked; what it then does is tests/stream/learn/test_rollback.py's."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.broker.rollback import ask_learner
from upwell.errors import SnapshotError


def test_where_nobody_answers_that_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="does it run on this data folder"):
        ask_learner(tmp_path, "1-a", 0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_here_is_one_where_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="does it run on this data folder"):
        ask_learner(tmp_path / "elsewhere", "1-a", 60.0)
