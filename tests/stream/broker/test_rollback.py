"""How learn is asked; what it then does is tests/stream/learn/test_rollback.py's."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stream.broker.rollback import AFRESH, ask_afresh, ask_learner
from upwell.errors import SettingsError, SnapshotError
from upwell.system.errands import answer_errand


def test_where_nobody_answers_that_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="does it run on this data folder"):
        ask_learner(tmp_path, "1-a", 0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_here_is_one_where_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="does it run on this data folder"):
        ask_learner(tmp_path / "elsewhere", "1-a", 60.0)


def test_a_learner_is_asked_to_begin_afresh_and_its_words_are_the_answer(tmp_path: Path) -> None:
    asked: list[float] = []

    def refuse(question: Mapping[str, Any]) -> None:
        asked.append(question["reach"])
        raise SettingsError("it has a budget")

    def answer() -> None:
        while not answer_errand(tmp_path, AFRESH, refuse, SettingsError):
            pass

    learner = threading.Thread(target=answer)
    learner.start()
    with pytest.raises(SnapshotError, match="it has a budget"):
        ask_afresh(tmp_path, 0.5, 60.0)
    learner.join()
    assert asked == [0.5]
    with pytest.raises(SnapshotError, match="does not begin afresh"):
        ask_afresh(tmp_path, 0.5, 0.0)
