"""`upwell tune` as a person types it: what it prints, what it writes, what it refuses at once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from encoders.hashing import HashingEncoder
from stream.ops.cli import app
from stream.ops.commands import tune as command
from stream.ops.commands.manual import MANUAL
from stream.replay.tuning import search
from stream.replay.tuning.gain import Gain
from tests.stream.replay.tuning.logs import small_log, written
from tests.stream.runs.read import only, scalars_of, told_of
from upwell.ports import Encoder
from upwell.settings import Settings, load_settings

LOG = "log.jsonl"
SMALL = {"UPWELL_BATCH_EVENTS": "16", "UPWELL_FUSED": "off"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, an encoder that takes no time."""

    @contextmanager
    def encoder(own: Settings) -> Iterator[Encoder]:
        yield HashingEncoder()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_encoder", encoder)
    (tmp_path / LOG).write_text(written(small_log(120)))
    return tmp_path


def tune(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(app, ["tune", LOG, *words], env={**SMALL, **variables})


def found(done: Result) -> dict[str, Any]:
    """The one object on standard output."""
    assert done.exit_code == 0, done.stderr
    [line] = done.stdout.splitlines()
    told: dict[str, Any] = json.loads(line)
    assert list(told) == list(MANUAL["tune"].fields)
    return told


def as_if(monkeypatch: pytest.MonkeyPatch, low: float) -> None:
    """The rest gives this gain."""
    monkeypatch.setattr(search, "gain", lambda before, after: Gain(60, 0.1, 0.2, low, 0.2))


def test_a_gain_is_written_beside_what_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if(monkeypatch, 0.05)
    (folder / "upwell.toml").write_text("[kafka]\nprefix = 'a.'  # ours\n")
    told = found(tune("--trials", "4", "--json"))
    assert told["written"] == "upwell.toml"
    text = (folder / "upwell.toml").read_text()
    assert text.startswith("[kafka]\nprefix = 'a.'  # ours\n\n[learner]\n# upwell tune log.jsonl: ")
    changed = {
        key.partition(".")[2]: one["found"]
        for key, one in told["settings"].items()
        if one["held"] != one["found"]
    }
    assert tomllib.loads(text)["learner"] == changed
    read = load_settings({}, folder / "upwell.toml").learner
    assert {name: getattr(read, name) for name in changed} == changed


def test_without_a_gain_nothing_is_written_and_a_second_call_searches_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if(monkeypatch, -0.05)
    done = tune("--trials", "3", "--out", "study", "--json")
    assert found(done)["written"] is None
    assert "nothing is written" in done.stderr
    assert done.stderr.count("trial ") == 3
    assert not (folder / "upwell.toml").exists()
    again = tune("--trials", "3", "--out", "study", "--json")
    assert {**found(again), "records_per_s": None} == {**found(done), "records_per_s": None}
    assert "trial " not in again.stderr


def test_the_search_is_a_run_and_each_trial_one_below_it(folder: Path) -> None:
    told = found(tune("--trials", "2", "--json", UPWELL_TRACK="tensorboard:runs"))
    run = only(folder / "runs")
    [(_, found_first)] = scalars_of(run)["first/found"]
    assert found_first == pytest.approx(told["first"]["found"])
    assert told_of(run)["trials"] == 2
    assert told_of(run)["UPWELL_BATCH_EVENTS"] == "16"
    trials = sorted(one for one in run.iterdir() if one.is_dir())
    assert [one.name for one in trials] == ["trial-000", "trial-001"]
    [*_, (step, last)] = scalars_of(trials[0])["tune/ndcg10"]
    assert step == 10
    assert last == pytest.approx(told["first"]["held"])
    held = {key: one["held"] for key, one in told["settings"].items()}
    drawn = told_of(trials[0])
    assert {key: drawn[key.partition(".")[2]] for key in held} == held


def test_a_folder_that_cannot_be_written_ends_no_search(folder: Path) -> None:
    done = tune("--trials", "1", "--json", UPWELL_TRACK=f"tensorboard:{LOG}")
    assert found(done)["trials"] == 1
    assert f"this run is not tracked in tensorboard:{LOG} (" in done.stderr


def test_a_variable_that_would_go_before_the_file_is_refused_at_once(folder: Path) -> None:
    done = tune(UPWELL_NEIGHBOURS="64")
    assert done.exit_code == 2
    assert "UPWELL_NEIGHBOURS is set" in done.stderr
    assert not (folder / ".upwell").exists()


def test_a_file_that_it_could_not_write_is_refused_at_once(folder: Path) -> None:
    (folder / "upwell.toml").write_text("learner = {seed = 7}\n")
    done = tune()
    assert done.exit_code == 2
    assert "put in yourself" in done.stderr


def test_a_missing_log_is_one_line(folder: Path) -> None:
    (folder / LOG).unlink()
    done = tune()
    assert (done.exit_code, done.stdout) == (6, "")
    assert "there is no log log.jsonl" in done.stderr
