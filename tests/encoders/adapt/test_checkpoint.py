from __future__ import annotations

from pathlib import Path

import torch

from encoders.adapt.checkpoint import Progress, load_progress, progress_file, save_progress
from tests.encoders.tiny import message


def progress() -> Progress:
    return Progress(
        step=20,
        losses=[1.5, 1.25],
        scores=[(0, 0.1), (10, 0.3), (20, 0.3)],
        best={"a": torch.ones(2)},
        state={"weights": [torch.zeros(3)], "memory": {"rank_pattern": {"e": [True, False]}}},
    )


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    save_progress(tmp_path, progress(), "this")
    found, own = load_progress(tmp_path, "this"), progress()
    assert (found.step, found.losses, found.scores) == (own.step, own.losses, own.scores)
    assert torch.equal(found.best["a"], own.best["a"])
    assert found.state["memory"] == own.state["memory"]
    assert [one.name for one in tmp_path.iterdir()] == [progress_file(tmp_path).name]


def test_the_first_of_equals_is_the_best() -> None:
    assert progress().best_step == 10
    assert progress().in_vain == 1


def test_none_a_torn_one_and_that_of_another_run_are_refused(tmp_path: Path) -> None:
    assert "leave --resume out" in message(lambda: load_progress(tmp_path, "this"))
    save_progress(tmp_path, progress(), "this")
    assert "another log, model or options" in message(lambda: load_progress(tmp_path, "that"))
    file = progress_file(tmp_path)
    file.write_bytes(file.read_bytes()[:100])
    assert "is torn" in message(lambda: load_progress(tmp_path, "this"))
