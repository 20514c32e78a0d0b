"""What is asked of a folder's owner is done once and answered; what nobody waits for is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from upwell.system.clock import now_ms
from upwell.system.errands import answer_errand, ask


def owner(folder: Path, work: Any, stop: threading.Event) -> threading.Thread:
    def run() -> None:
        while not stop.is_set() and not answer_errand(folder, "copy", work, ValueError):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("error", [None, "no room"])
def test_the_answer_comes_and_nothing_stays(tmp_path: Path, error: str | None) -> None:
    asked: list[str] = []

    def work(one: Mapping[str, Any]) -> None:
        asked.append(one["target"])
        if error is not None:
            raise ValueError(error)

    stop = threading.Event()
    thread = owner(tmp_path, work, stop)
    try:
        assert ask(tmp_path, "copy", {"target": "there"}, 60.0) == error
    finally:
        stop.set()
        thread.join()
    assert asked == ["there"]
    assert not list(tmp_path.glob("*.ask"))
    assert not answer_errand(tmp_path, "copy", work, ValueError)


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="nobody answered"):
        ask(tmp_path, "copy", {}, 0.01)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_command_asked_is_dropped_when_its_time_is_over(tmp_path: Path) -> None:
    for until, done in ((now_ms() - 1, 0), (now_ms() + 60_000, 1)):
        question = {"id": "x", "until": until, "target": "there"}
        (tmp_path / "copy-x.ask").write_text(json.dumps(question))
        asked: list[object] = []
        assert answer_errand(tmp_path, "copy", asked.append, ValueError)
        assert len(asked) == done
        assert not (tmp_path / "copy-x.ask").exists()


def test_a_question_that_comes_while_another_is_done_is_done_next(tmp_path: Path) -> None:
    def put(name: str) -> None:
        question = {"id": name, "until": now_ms() + 60_000, "target": name}
        (tmp_path / f"copy-{name}.ask").write_text(json.dumps(question))

    done: list[str] = []

    def work(asked: Mapping[str, Any]) -> None:
        done.append(asked["target"])
        if len(done) == 1:
            put("second")  # its asker was killed, the next one asks

    put("first")
    assert answer_errand(tmp_path, "copy", work, ValueError)
    assert answer_errand(tmp_path, "copy", work, ValueError)
    assert done == ["first", "second"]
    assert json.loads((tmp_path / "copy.answer").read_text()) == {"id": "second", "error": None}
