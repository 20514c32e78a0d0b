"""Curves as an offline run of wandb: by a double of it, and by itself where it is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from stream.runs.wandb import WeightsAndBiases
from tests.stream.runs.doubles import wandb_double

NORMS = np.array([1.0, 2.0], np.float32)


def test_a_run_is_told_drawn_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = wandb_double(monkeypatch)
    for name, failed in ("adapt-1", False), ("", True):
        drawn = WeightsAndBiases(tmp_path / "runs", name)
        drawn.describe({"steps": 20, "data": "a, b"}, 5.0)
        drawn.write(7, 6.0, {"loss": 0.5}, {"norm": NORMS})
        drawn.close(failed)
    one, other = runs
    made = one.made
    assert (made["project"], made["name"], made["mode"]) == ("upwell", "adapt-1", "offline")
    assert made["dir"] == tmp_path / "runs"
    assert made["settings"]["x_disable_meta"]
    assert made["settings"]["disable_git"]
    assert one.told == {"steps": 20, "data": "a, b"}
    assert one.points == [("loss", 0.5, 7), ("norm", 2, 7), ("step", 7, 7), ("at", 6.0, 7)]
    assert (one.ended, other.ended, other.made["name"]) == (0, 1, None)


def test_what_it_raises_is_an_error_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb_double(monkeypatch)

    def broken(**made: object) -> None:
        raise RuntimeError("no process of its own")

    monkeypatch.setattr(sys.modules["wandb"], "init", broken)
    with pytest.raises(OSError, match="RuntimeError: no process of its own"):
        WeightsAndBiases(tmp_path).write(1, 1.0, {"loss": 1.0}, {})


def test_by_itself_it_writes_an_offline_run_that_knows_nothing_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed: pip install wandb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench.py", "--qdrant", "http://ann:hush@qdrant"])
    drawn = WeightsAndBiases(tmp_path / "runs", "adapt-1")
    drawn.describe({"steps": 20, "data": "log.jsonl"}, 5.0)
    drawn.write(100, 5.0, {"loss/main": 0.5}, {"norm": NORMS})
    drawn.close()
    assert [one.name for one in tmp_path.iterdir()] == ["runs"]
    [file] = (tmp_path / "runs").rglob("run-*.wandb")
    kept = file.read_bytes()
    assert b"loss/main" in kept
    assert b"log.jsonl" in kept
    for one in (tmp_path / "runs").rglob("*"):
        assert not one.is_file() or b"hush" not in one.read_bytes(), one
