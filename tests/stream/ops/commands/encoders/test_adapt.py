"""`upwell adapt` as it is typed."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream.ops.commands.manual import MANUAL
from tests.encoders.tiny import tiny_model
from tests.stream.ops.test_cli import upwell
from tests.stream.replay.adaptation.logs import small_log
from tests.stream.runs.read import only, scalars_of, told_of

SHORT = ("--steps", "4", "--every", "2", "--batch", "8", "--rate", "0.02", "--mlm", "0.1")


def write_log(folder: Path) -> None:
    lines = (
        {"topic": one.topic, "key": None, "value": orjson.loads(one.value)} for one in small_log()
    )
    (folder / "log.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))


@pytest.mark.slow
def test_a_log_makes_a_model_and_the_object_is_the_last_line(tmp_path: Path) -> None:
    write_log(tmp_path)
    tiny_model(tmp_path / "tiny")
    own: dict[str, Any] = {
        "UPWELL_ENCODER": "tiny",
        "UPWELL_DEVICE": "cpu",
        "UPWELL_QDRANT_API_KEY": "hush",
        "UPWELL_TRACK": "tensorboard:runs",
    }
    done = upwell(tmp_path, "adapt", "log.jsonl", "--out", "out", *SHORT, **own)
    assert done.returncode == 0, done.stderr
    *table, last = done.stdout.splitlines()
    found = json.loads(last)
    assert list(found) == list(MANUAL["adapt"].fields)
    assert any("before" in line for line in table)
    assert "a new one is trained beside it" in done.stderr
    assert "step 4, loss" in done.stderr
    assert found["folder"] == "out"
    assert (tmp_path / "out" / "model.safetensors").is_file()
    held_as_a_run(tmp_path, found)
    again = upwell(tmp_path, "adapt", "log.jsonl", "--out", "out", *SHORT, **own)
    assert (again.returncode, again.stdout) == (5, "")
    assert "upwell: out is not empty" in again.stderr
    wrong = upwell(tmp_path, "adapt", "log.jsonl", "--out", "new", "--method", "qlora")
    assert wrong.returncode == 2
    assert "must be lora, adalora, ia3, prefix or top:N" in wrong.stderr


def held_as_a_run(folder: Path, found: dict[str, Any]) -> None:
    """Beside others: its curve, its figures, what it was told."""
    run = only(folder / "runs")
    assert run.name.startswith("adapt-2")
    points = scalars_of(run)
    assert [step for step, _ in points["curve/loss"]] == [1, 2, 3, 4]
    scores = dict(points["curve/validation"])
    assert list(scores) == [0, 2, 4]
    assert scores[0] == pytest.approx(found["validation"]["before"])
    assert scores[found["best_step"]] == pytest.approx(found["validation"]["best"])
    [(step, after)] = points["after/all"]
    assert step == 4
    assert after == pytest.approx(found["after"]["all"])
    told = told_of(run)
    assert told["options/schedule/steps"] == 4
    assert told["model"] == told["UPWELL_ENCODER"] == "tiny"
    assert told["UPWELL_QDRANT_API_KEY"] == "***"
    assert told["data_sha256"] == sha256((folder / "log.jsonl").read_bytes()).hexdigest()
    assert b"hush" not in only(run).read_bytes()


def test_with_json_there_is_nothing_else_on_standard_output(tmp_path: Path) -> None:
    write_log(tmp_path)
    tiny_model(tmp_path / "tiny")
    words = ("adapt", "log.jsonl", "--out", "out", "--model", "tiny", "--method", "top:1", "--json")
    nowhere = "tensorboard:log.jsonl"
    done = upwell(tmp_path, *words, *SHORT, UPWELL_DEVICE="cpu", UPWELL_TRACK=nowhere)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    assert json.loads(line)["method"] == "top:1"
    assert "before" in done.stderr
    assert done.stderr.count("this run is not tracked in tensorboard:log.jsonl (") == 1
