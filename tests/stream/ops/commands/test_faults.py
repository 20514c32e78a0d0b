"""Whatever is wrong around a command: one line that names it and what to do, the exit code of the
table, no traceback.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream.broker.topics import ensure_topics
from tests.stream.ops.test_cli import LINE, nobody, one_line, upwell  # noqa: F401
from upwell.system.exit_codes import ExitCode

ASKS_THE_BROKER = [
    ("top", "--once"),
    ("top", "--json"),
    ("replay", "log.jsonl"),
    ("watch", "--json"),
    ("recommend", "--user", "ann"),
    ("forget", "--user", "ann"),
    ("dead-letters", "list"),
    ("dead-letters", "show", "clicks-0-0"),
    ("dead-letters", "replay", "--all"),
    ("snapshot", "taken"),
    ("serve", "--port", "0"),
]
"""What a broker has to answer before anything is done."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a log of one click."""
    (tmp_path / "log.jsonl").write_text(LINE)
    return tmp_path


@pytest.mark.parametrize("words", ASKS_THE_BROKER, ids=" ".join)
def test_a_broker_that_is_away_is_named(words: tuple[str, ...], folder: Path, nobody: str) -> None:  # noqa: F811
    done = upwell(folder, *words, UPWELL_KAFKA=nobody, UPWELL_KAFKA_WAIT="0.5")
    assert done.returncode == ExitCode.BROKER
    assert nobody in one_line(done)


@pytest.mark.parametrize("words", ASKS_THE_BROKER, ids=" ".join)
def test_where_no_broker_runs_it_says_how_to_start_one(
    words: tuple[str, ...], folder: Path
) -> None:
    done = upwell(folder, *words)
    assert done.returncode == (ExitCode.SNAPSHOT if words[0] == "snapshot" else ExitCode.BROKER)
    line = one_line(done)
    assert "run the engine first" in line if words[0] == "snapshot" else "upwell run" in line


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "words", [one for one in ASKS_THE_BROKER if one[0] != "serve"], ids=" ".join
)
def test_a_prefix_on_which_no_engine_was_is_named(
    words: tuple[str, ...], folder: Path, kafka: str
) -> None:
    done = upwell(folder, *words, UPWELL_KAFKA=kafka, UPWELL_PREFIX="no-engine-was-here.")
    assert done.returncode == ExitCode.BROKER
    line = one_line(done)
    assert "no-engine-was-here." in line
    assert "upwell run" in line


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("replay", "none.jsonl"), 6, ["there is no log none.jsonl"]),
        (("replay", "."), 6, [". is a folder"]),
        (("replay", "empty.jsonl"), 6, ["the log empty.jsonl is empty"]),
        (("replay", "fake.jsonl.gz"), 6, ["fake.jsonl.gz is named .gz but is no gzip file"]),
        (("evaluate", "none.jsonl", "--policy", "popularity"), 6, ["there is no log none.jsonl"]),
        (("demo", "--log", "none.jsonl"), 6, ["there is no log none.jsonl"]),
        (("import", "auto", "none", "--plain"), 6, ["there is no none"]),
        (("import", "foo", "log.jsonl"), 6, ["'foo' is no kind of log", "auto, csv"]),
        (("import", "csv", "log.jsonl"), 6, ["csv needs --mapping"]),
        (("import", "csv", ".", "--mapping", "no.toml"), 6, ["the mapping no.toml", "No such"]),
        (("import", "auto", ".", "--out", "log.jsonl"), 6, ["log.jsonl is there already"]),
        (("import", "auto", "log.jsonl", "--out", "log.jsonl/x"), 6, ["log.jsonl/x", "cannot be"]),
        (("restore", "none"), 8, ["none is no whole snapshot"]),
        (("restore", "log.jsonl"), 8, ["log.jsonl is no whole snapshot"]),
        (("snapshot", "empty.jsonl"), 8, ["empty.jsonl is there already"]),
        (("rollback", "1-a"), 8, ["holds nothing yet", "UPWELL_DATA"]),
        (("run", "--roles", "serve,cook"), 2, ["--roles is 'serve,cook'", "serve, learn"]),
        (("run", "--roles", "learn"), 2, ["UPWELL_KAFKA"]),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else None,
)
def test_a_file_that_is_none_is_named(
    words: tuple[str, ...], code: int, parts: list[str], folder: Path
) -> None:
    (folder / "empty.jsonl").touch()
    (folder / "fake.jsonl.gz").write_text("plain")
    kafka: dict[str, Any] = {"UPWELL_KAFKA": "127.0.0.1:1"} if words[0] == "replay" else {}
    done = upwell(folder, *words, **kafka)
    assert done.returncode == code
    line = one_line(done)
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    "words",
    [
        ("watch",),
        ("doctor",),
        ("top",),
        ("run",),
        ("serve",),
        ("snapshot", "x"),
    ],
    ids=" ".join,
)
def test_a_settings_file_that_cannot_be_read_is_named(words: tuple[str, ...], folder: Path) -> None:
    (folder / "upwell.toml").mkdir()  # whoever runs the tests may read any file, but no folder
    done = upwell(folder, *words)
    assert done.returncode == ExitCode.REFUSED
    assert "upwell.toml cannot be read" in one_line(done)


@pytest.mark.parametrize("words", [("run",), ("demo", "--events", "100")], ids=" ".join)
def test_a_data_folder_that_cannot_be_made_is_named(words: tuple[str, ...], folder: Path) -> None:
    done = upwell(folder, *words, UPWELL_DATA=str(folder / "log.jsonl" / "data"))
    assert done.returncode in (ExitCode.FAILED, ExitCode.BROKER)
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("upwell: ")
    assert str(folder / "log.jsonl") in last


@pytest.mark.parametrize("words", [("run",), ("demo", "--events", "100")], ids=" ".join)
def test_an_engine_on_a_broker_that_is_away_is_not_started(
    words: tuple[str, ...],
    folder: Path,
    nobody: str,  # noqa: F811
) -> None:
    done = upwell(folder, *words, UPWELL_KAFKA=nobody, UPWELL_KAFKA_WAIT="0.5")
    assert done.returncode == ExitCode.BROKER
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("upwell: ")
    assert nobody in last


def test_the_doctor_goes_on_where_the_data_folder_cannot_be_made(folder: Path) -> None:
    data = str(folder / "log.jsonl" / "data")
    done = upwell(folder, "doctor", "--json", UPWELL_DATA=data, UPWELL_ENCODER=str(folder / "none"))
    assert done.returncode == ExitCode.FAILED
    found = json.loads(done.stdout)
    assert data in found["store"]["detail"] or "log.jsonl" in found["store"]["detail"]
    assert not found["store"]["fine"]


def test_a_full_disk_behind_standard_output_is_one_line(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = upwell(folder, "import", "movielens", "ratings.csv", "--plain", stdout=full)
        assert done.returncode == ExitCode.LOG
        (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,4,964982703\n")
        done = upwell(folder, "import", "movielens", "ratings.csv", "--plain", stdout=full)
        assert done.returncode == ExitCode.LOG
        assert "standard output cannot be written" in done.stderr
        done = upwell(folder, "doctor", "--settings", "--json", stdout=full)
        assert done.returncode == ExitCode.FAILED
        assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_there_is_no_such_letter(folder: Path, kafka: str, prefix: str) -> None:
    ensure_topics(prefix, 1, {"bootstrap_servers": kafka})
    own: dict[str, Any] = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix}
    done = upwell(folder, "dead-letters", "show", "clicks-0-7", **own)
    assert done.returncode == ExitCode.LETTER
    assert "there is no dead letter clicks-0-7" in one_line(done)
    assert upwell(folder, "dead-letters", "replay", **own).returncode == ExitCode.REFUSED
