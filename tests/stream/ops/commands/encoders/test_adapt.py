"""`upwell adapt` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson

from stream.ops.commands.manual import MANUAL
from tests.encoders.tiny import tiny_model
from tests.stream.ops.test_cli import upwell
from tests.stream.replay.adaptation.logs import small_log

SHORT = ("--steps", "4", "--every", "2", "--batch", "8", "--rate", "0.02", "--mlm", "0.1")


def write_log(folder: Path) -> None:
    lines = (
        {"topic": one.topic, "key": None, "value": orjson.loads(one.value)} for one in small_log()
    )
    (folder / "log.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))


def test_a_log_makes_a_model_and_the_object_is_the_last_line(tmp_path: Path) -> None:
    write_log(tmp_path)
    tiny_model(tmp_path / "tiny")
    own: dict[str, Any] = {"UPWELL_ENCODER": "tiny", "UPWELL_DEVICE": "cpu"}
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
    again = upwell(tmp_path, "adapt", "log.jsonl", "--out", "out", *SHORT, **own)
    assert (again.returncode, again.stdout) == (5, "")
    assert "upwell: out is not empty" in again.stderr
    wrong = upwell(tmp_path, "adapt", "log.jsonl", "--out", "new", "--method", "qlora")
    assert wrong.returncode == 2
    assert "must be lora, adalora, ia3, prefix or top:N" in wrong.stderr


def test_with_json_there_is_nothing_else_on_standard_output(tmp_path: Path) -> None:
    write_log(tmp_path)
    tiny_model(tmp_path / "tiny")
    words = ("adapt", "log.jsonl", "--out", "out", "--model", "tiny", "--method", "top:1", "--json")
    done = upwell(tmp_path, *words, *SHORT, UPWELL_DEVICE="cpu")
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    assert json.loads(line)["method"] == "top:1"
    assert "before" in done.stderr
