from __future__ import annotations

import json
from pathlib import Path

from stream.ops.commands.manual import MANUAL
from stream.replay.log import LogRecord, read_log
from stream.replay.recipes.folder import names
from tests.stream.ops.test_cli import upwell


def test_without_a_name_all_are_told(tmp_path: Path) -> None:
    done = upwell(tmp_path, "recipe")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == names()
    found = json.loads(upwell(tmp_path, "recipe", "--json").stdout)
    assert list(found["recipes"]) == names()


def test_a_run_ends_with_its_table_and_the_object(tmp_path: Path) -> None:
    done = upwell(tmp_path, "recipe", "video", "--events", "300", UPWELL_FUSED="false")
    assert done.returncode == 0, done.stderr
    first, *table, last = done.stdout.splitlines()
    assert first.startswith("recorded: ")
    found = json.loads(last)
    assert list(found) == list(MANUAL["recipe"].fields)
    assert (found["recipe"], found["said"]) == ("video", first)
    for name in found["figures"]["sides"]:
        assert any(name in line for line in table)


def test_json_is_alone_on_standard_output(tmp_path: Path) -> None:
    done = upwell(tmp_path, "recipe", "video", "--events", "300", "--json", UPWELL_FUSED="false")
    [line] = done.stdout.splitlines()
    assert json.loads(line)["recipe"] == "video"
    assert "recorded: " in done.stderr


def test_its_log_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    for name in ("log.jsonl", "log.jsonl.gz"):
        words = ("recipe", "video", "--events", "300", "--out", name)
        assert upwell(tmp_path, *words).returncode == 0
        lines = list(read_log(tmp_path / name))
        assert sum(isinstance(one, LogRecord) for one in lines) == len(lines) > 300
        again = upwell(tmp_path, *words)
        assert again.returncode == 6
        assert "is there already" in again.stderr


def test_a_recipe_that_is_none_is_refused(tmp_path: Path) -> None:
    done = upwell(tmp_path, "recipe", "opera")
    assert (done.returncode, done.stdout) == (6, "")
    assert "'opera' is no recipe; there are" in done.stderr
