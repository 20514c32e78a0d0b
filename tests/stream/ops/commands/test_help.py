"""Help of every command at any width, on any terminal: whole words, one example, no escape codes;
and completion for the shells.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from stream.ops.cli import app
from stream.ops.commands.manual import MANUAL
from stream.ops.commands.page import commands_of
from tests.docs.test_commands import refused
from tests.stream.ops.terminal import ESCAPE, terminal

PATHS = [path for path, _ in commands_of(typer.main.get_command(app))]
EVERY_HELP = (
    "import json, sys\n"
    "from stream.ops.cli import app\n"
    "for path in json.loads(sys.argv[1]):\n"
    "    try:\n"
    "        app([*path.split(), '--help'], prog_name='upwell')\n"
    "    except SystemExit as exc:\n"
    "        assert exc.code == 0, path\n"
)


def helped(path: str, columns: int) -> list[str]:
    done = CliRunner().invoke(
        app, [*path.split(), "--help"], prog_name="upwell", env={"COLUMNS": str(columns)}
    )
    assert done.exit_code == 0
    return done.output.splitlines()


def words(lines: list[str]) -> list[str]:
    """In their order; a line that the shell is told goes on is one."""
    return "\n".join(lines).replace(" \\\n", " ").split()


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("path", PATHS)
def test_help_fits_and_cuts_no_word(path: str, columns: int) -> None:
    lines = helped(path, columns)
    assert max(map(len, lines)) <= columns
    assert words(lines) == words(helped(path, 88))


@pytest.mark.parametrize("path", PATHS)
def test_a_word_that_is_wider_than_the_screen_is_left_whole(path: str) -> None:
    assert words(helped(path, 16)) == words(helped(path, 88))


@pytest.mark.parametrize("path", PATHS)
def test_help_ends_with_an_example_that_the_command_line_takes(path: str) -> None:
    lines = helped(path, 80)
    assert lines[-2:] == ["Example:", f"  {MANUAL[path].example}"]
    program, *typed = MANUAL[path].example.split()
    assert program == "upwell"
    assert " ".join(typed).startswith(path)
    assert refused(typed) == ""


def test_the_manual_is_of_the_commands_there_are() -> None:
    assert sorted(MANUAL) == sorted(PATHS)
    assert len({entry.example for entry in MANUAL.values()}) >= len(PATHS) - 2


def test_each_command_with_json_says_what_it_prints() -> None:
    for path, command in commands_of(typer.main.get_command(app)):
        has = any("--json" in getattr(one, "opts", ()) for one in command.params)
        assert has == bool(MANUAL[path].json), path


@pytest.mark.parametrize(
    "wrong", [["watch", "--usr", "x"], ["recommend"], ["replay", "l", "--rate", "0"]]
)
def test_misuse_is_short_and_names_the_help(wrong: list[str]) -> None:
    done = CliRunner().invoke(app, wrong, prog_name="upwell", env={"COLUMNS": "40"})
    assert done.exit_code == 2
    usage = done.stderr.partition("Error:")[0].splitlines()
    assert max(map(len, usage)) <= 40
    assert f"upwell {wrong[0]} --help" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "surroundings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}], ids=["NO_COLOR", "dumb", "xterm"]
)
def test_no_help_has_an_escape_code_on_a_terminal(
    surroundings: dict[str, Any], tmp_path: Path
) -> None:
    listed = json.dumps(PATHS)
    with terminal(tmp_path, [listed], program=("-c", EVERY_HELP), **surroundings) as screen:
        assert screen.to_the_end() == 0
    assert ESCAPE not in screen.seen
    assert screen.seen.count(b"Usage: upwell") == len(PATHS)


@pytest.mark.parametrize(
    ("shell", "part"),
    [
        ("bash", "complete -o default -F _upwell_completion upwell"),
        ("zsh", "compdef _upwell_completion upwell"),
        ("fish", "complete --command upwell"),
    ],
)
def test_completion_is_shown_for_each_shell(
    shell: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: shell)
    done = CliRunner().invoke(app, ["--show-completion"], prog_name="upwell")
    assert done.exit_code == 0
    assert part in done.output


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("upwell sn", ["snapshot"]),
        ("upwell dead-letters re", ["replay"]),
        ("upwell top --o", ["--once"]),
    ],
)
def test_completion_knows_commands_and_options(
    typed: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    monkeypatch.setenv("_UPWELL_COMPLETE", "complete_bash")
    done: Any = CliRunner().invoke(app, [], prog_name="upwell")
    assert re.findall(r"^\S+", done.output, re.MULTILINE) == found
