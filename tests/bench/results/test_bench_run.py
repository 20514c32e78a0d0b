"""How benches end: the last line, and the run beside others."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from bench.results.bench_run import BENCH, BenchRun
from stream.runs import kinds
from tests.stream.runs.read import only, scalars_of, told_of
from upwell.system.hardware import hardware

SCRIPT = str(BENCH / "speed" / "throughput.py")
RESULT = {"log": "log.jsonl", "sides": {"upwell": {"events_s": 1_500.0, "whole": True}}}
NO_FIGURES = {
    "compression/held.py": "runs another command",
    "peers/naive.py": "a side of the benches of speed",
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    found = tmp_path / "log.jsonl"
    found.write_bytes(b"{}\n")
    return found


def arguments(log: Path) -> Namespace:
    return Namespace(log=log, repeats=2, qdrant="http://ann:hush@qdrant:6333")


def test_the_result_is_the_last_line_and_a_run_that_is_read_back(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPWELL_TRACK", f"tensorboard:{tmp_path / 'runs'}")
    monkeypatch.setenv("UPWELL_SEED", "8")
    monkeypatch.setenv("UPWELL_QDRANT_API_KEY", "hush")
    run = BenchRun(SCRIPT, arguments(log), log)
    assert "UPWELL_TRACK" not in os.environ, "an engine that the bench starts draws no curves"
    run.tell(RESULT)
    said = capsys.readouterr()
    assert (json.loads(said.out), said.err) == (RESULT, "")
    folder = only(tmp_path / "runs")
    assert folder.name.startswith("speed-throughput-2")
    assert scalars_of(folder) == {"sides/upwell/events_s": [(0, 1_500.0)]}
    told = told_of(folder)
    assert told["repeats"] == 2
    assert told["UPWELL_SEED"] == "8"
    assert told["data_sha256"] == hashlib.sha256(b"{}\n").hexdigest()
    assert told["hardware"] == hardware()
    assert b"hush" not in only(folder).read_bytes()


def test_a_folder_that_cannot_be_written_is_said_and_the_figures_are_there(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPWELL_TRACK", f"tensorboard:{log}")
    BenchRun(SCRIPT, arguments(log), log).tell(RESULT)
    said = capsys.readouterr()
    assert json.loads(said.out) == RESULT
    [line] = said.err.splitlines()
    assert line.startswith(f"this run is not tracked in tensorboard:{log} (")


@pytest.mark.parametrize("to", ["runs", "wandb:runs"])
def test_what_cannot_be_tracked_ends_the_bench_before_it_begins(
    log: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    monkeypatch.setenv("UPWELL_TRACK", to)
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=f"speed-throughput: UPWELL_TRACK is '?{to}"):
        BenchRun(SCRIPT, arguments(log), log)


def test_unset_imports_nothing_and_leaves_no_file(tmp_path: Path) -> None:
    code = f"""
import argparse, sys
from bench.results.bench_run import BenchRun
BenchRun({SCRIPT!r}, argparse.Namespace(repeats=2)).tell({{"all": 0.5}})
print([one for one in ("torch", "tensorboard", "mlflow", "wandb") if one in sys.modules])
"""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("UPWELL_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=plain | {"PYTHONPATH": str(BENCH.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ['{"all":0.5}', "[]"]
    assert list(tmp_path.iterdir()) == []


FILES = sorted(BENCH.rglob("*.py"))


def programs() -> dict[str, ast.Module]:
    """Files of benches that are run."""
    trees = {one.relative_to(BENCH).as_posix(): ast.parse(one.read_text()) for one in FILES}
    return {
        name: tree
        for name, tree in trees.items()
        if any(isinstance(one, ast.If) and "__main__" in ast.unparse(one) for one in tree.body)
    }


@pytest.mark.parametrize("name", sorted(programs().keys() - NO_FIGURES))
def test_every_bench_ends_so(name: str) -> None:
    calls = [one for one in ast.walk(programs()[name]) if isinstance(one, ast.Call)]
    names = [ast.unparse(one.func) for one in calls]
    assert names.count("BenchRun") == 1
    made = next(one for one in calls if ast.unparse(one.func) == "BenchRun")
    assert ast.unparse(made.args[0]) == "__file__"
    assert [one for one in names if one.endswith(".tell")]
    reads = any(option(one) == "log" for one in calls)
    assert not reads or ast.unparse(made.args[2]).endswith(".log"), "its log is hashed"


def option(call: ast.Call) -> object:
    """That it adds to a parser."""
    if ast.unparse(call.func).endswith("add_argument") and isinstance(call.args[0], ast.Constant):
        return call.args[0].value
    return None


def test_those_that_have_no_figures_are_programs() -> None:
    assert programs().keys() >= NO_FIGURES.keys()
