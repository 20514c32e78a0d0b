"""The command line as a person meets it: a fault is one line that says how to mend it, an exit
code, and no traceback.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

import pytest

from stream.ops.commands.manual import ALWAYS, MANUAL
from upwell.settings import all_settings

ROOT = Path(__file__).parents[3]
LINE = (
    '{"topic": "clicks", "key": "u", "value": {"event_id": "1", "ts": 1700000000000, '
    '"user_id": "u", "item_id": "i", "action": "click"}}\n'
)


def surroundings(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of a command in `folder` with no settings but `variables`."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("UPWELL_") or name == "UPWELL_CACHE"
    }
    own = {
        "PYTHONPATH": str(ROOT),
        "UPWELL_DATA": str(folder / "data"),
        "COLUMNS": "200",
        **variables,
    }
    return plain | own


def upwell(
    folder: Path,
    *words: str,
    stdin: int = DEVNULL,
    stdout: int | IO[str] = PIPE,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run `upwell` in `folder`. It ends with a code that its manual names, and has no escape codes
    where there is no terminal.
    """
    command = [sys.executable, "-m", "stream.ops.cli", *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env=surroundings(folder, **variables),
        stdin=stdin,
        stdout=stdout,
        stderr=PIPE,
        text=True,
        check=False,
    )
    assert "\x1b" not in f"{done.stdout}{done.stderr}"
    path = both if (both := " ".join(words[:2])) in MANUAL else words[0]
    assert path not in MANUAL or done.returncode in {*ALWAYS, *MANUAL[path].ends}, done.stderr
    return done


@pytest.fixture
def nobody() -> str:
    """An address at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """What it said, which is one line without a traceback."""
    assert done.stdout == ""
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("upwell: ")
    return line


def test_an_unknown_variable_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = upwell(tmp_path, "replay", "log.jsonl", UPWELL_KAFKAA="x")
    assert done.returncode == 2
    assert one_line(done) == "upwell: unknown variable: UPWELL_KAFKAA; did you mean UPWELL_KAFKA?"


def test_a_wrong_value_names_the_variable_and_what_is_right(tmp_path: Path) -> None:
    done = upwell(tmp_path, "watch", UPWELL_PARTITIONS="many")
    assert done.returncode == 2
    assert "UPWELL_PARTITIONS" in one_line(done)


def test_a_wrong_key_in_the_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "upwell.toml").write_text("[kafka]\naddres = 'x'\n")
    done = upwell(tmp_path, "watch")
    assert done.returncode == 2
    assert "kafka.addres" in one_line(done)


@pytest.mark.parametrize(
    "words", [("replay", "missing.jsonl"), ("watch",), ("recommend", "--user", "ann")]
)
def test_without_a_broker_it_says_how_to_start_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = upwell(tmp_path, *words)
    assert done.returncode == 3
    assert "upwell run" in one_line(done)


def test_a_missing_log_is_one_line(tmp_path: Path, nobody: str) -> None:
    done = upwell(tmp_path, "replay", "missing.jsonl", UPWELL_KAFKA=nobody, UPWELL_KAFKA_WAIT="0.5")
    assert done.returncode == 6
    assert "there is no log missing.jsonl" in one_line(done)


def test_brackets_in_a_name_are_shown_as_they_are(tmp_path: Path, nobody: str) -> None:
    done = upwell(
        tmp_path, "replay", "[red]/[/b].jsonl", UPWELL_KAFKA=nobody, UPWELL_KAFKA_WAIT="0.5"
    )
    assert done.returncode == 6
    assert "[red]/[/b].jsonl" in one_line(done)


def test_a_broker_that_does_not_answer_is_one_line(tmp_path: Path, nobody: str) -> None:
    (tmp_path / "log.jsonl").write_text(LINE)
    done = upwell(tmp_path, "replay", "log.jsonl", UPWELL_KAFKA=nobody, UPWELL_KAFKA_WAIT="0.5")
    assert done.returncode == 3
    assert f"no Kafka broker answers at {nobody}" in one_line(done)


def test_the_doctor_finds_a_wrong_model_path_and_shows_no_secret(tmp_path: Path) -> None:
    key, missing = "ab" * 32, str(tmp_path / "no-model")
    done = upwell(
        tmp_path, "doctor", "--json", UPWELL_ENCODER=missing, UPWELL_STORE="memory", UPWELL_KEY=key
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert key not in done.stdout + done.stderr
    [line] = done.stdout.splitlines()
    found = json.loads(line)
    assert [what for what, finding in found.items() if not finding["fine"]] == ["model"]
    assert missing in found["model"]["detail"]
    assert "UPWELL_KEY=***" in found["settings"]["detail"]


def test_a_worker_with_a_wrong_model_path_ends_with_one_line(tmp_path: Path, nobody: str) -> None:
    reading, writing = os.pipe()  # the supervisor's end stays open
    with os.fdopen(reading), os.fdopen(writing, "w"):
        done = upwell(
            tmp_path,
            "worker",
            "serve",
            stdin=reading,
            UPWELL_ENCODER=str(tmp_path / "no-model"),
            UPWELL_KAFKA=nobody,
            UPWELL_KAFKA_WAIT="0.5",
        )
    assert done.returncode == 5
    assert "no-model" in one_line(done)


def test_a_traceback_is_there_for_those_who_ask(tmp_path: Path) -> None:
    done = upwell(tmp_path, "watch", UPWELL_TRACEBACK="1")
    assert "Traceback" in done.stderr
    assert "BrokerError" in done.stderr


@pytest.mark.parametrize("words", [("recommend",), ("replay", "x", "--rate", "0"), ("nonsense",)])
def test_misuse_is_told_with_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = upwell(tmp_path, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_doctor_shows_every_setting_and_what_is_right_for_it(tmp_path: Path) -> None:
    done = upwell(tmp_path, "doctor", "--settings", UPWELL_LIST_K="12", UPWELL_KEY="ab" * 32)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, len(lines)) == (0, "", len(all_settings()))
    assert "UPWELL_LIST_K = 12 (set; entries, 1 to 100): in a list" in done.stdout
    assert "UPWELL_KEY = *** (set" in done.stdout
    assert "abab" not in done.stdout
