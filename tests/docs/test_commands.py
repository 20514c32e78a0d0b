"""README and docs tell what is there: commands that the command line takes, files that exist,
Python that compiles, also where tests/docs/blocks.py says why it is not run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from typer.core import TyperGroup

from stream.ops.cli import app
from tests.docs.commands import DOCUMENTS, IDS, ROOT, commands, python_blocks

VALUES = {"N": "1", "HOURS": "24", "P": "popularity"}
"""What placeholders stand for where a number or one of a few words is asked; others are text."""
PATHS = re.compile(
    r"(?<![\w./-])(?:bench|data|docs|encoders|examples|gateway|infra|learner|recipes|store|stream|tests|upwell)"
    r"/[\w./-]*\.(?:py|md|gz|toml|yml|xml|movielens)\b"
)
OWN = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"bench", "tests"}


def forms(words: list[str]) -> list[list[str]]:
    """A usage line without its options in brackets, and with them; of a|b the first."""
    bare, optional = [], False
    for word in words:
        optional = optional or word.startswith("[")
        if not optional:
            bare.append(word)
        optional = optional and not word.endswith("]")
    whole = [word.strip("[]…") for word in words if word.strip("[]…")]
    return [[VALUES.get(word, word.split("|")[0]) for word in form] for form in (bare, whole)]


UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])


def group() -> TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


def refused(words: list[str]) -> str:
    """Why `upwell` would not take these words; empty where it would. Nothing is run."""
    command: Any = group()
    while isinstance(command, TyperGroup):
        name, *words = words
        if name not in command.commands:
            return f"no such command {name}"
        command = command.commands[name]
    try:
        command.make_context("upwell", list(words))
    except UsageError as exc:
        return str(exc) or type(exc).__name__
    return ""


def test_usage_lines_are_read_with_their_options_and_without() -> None:
    assert forms(["replay", "LOG", "[--rate", "N]"]) == [
        ["replay", "LOG"],
        ["replay", "LOG", "--rate", "1"],
    ]
    text = "`upwell run`\n```\nA=1 upwell watch --user ann   # as they come\n$ upwell doctor\n```\n"
    assert list(commands(text, "upwell")) == [["watch", "--user", "ann"], ["doctor"], ["run"]]


@pytest.mark.parametrize(
    "wrong",
    [["nonsense"], ["watch", "--usr", "ann"], ["recommend"], ["replay", "L", "--rate", "x"]],
)
def test_what_the_command_line_would_refuse_is_noticed(wrong: list[str]) -> None:
    assert refused(wrong)


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_upwell_command_is_one(path: Path) -> None:
    for words in commands(path.read_text(), "upwell"):
        if not words or words[0] == "…":  # the program, named alone
            continue
        if len(words) == 1 or (words[:1] == ["dead-letters"] and len(words) == 2):
            assert any_command(words), words  # named in a sentence, without what it needs
            continue
        for form in forms(words):
            assert refused(form) == "", f"upwell {' '.join(form)}"


def any_command(words: list[str]) -> bool:
    command: Any = group()
    for name in words:
        command = command.commands.get(name)
    return command is not None


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_make_target_is_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {words[0] for words in commands(path.read_text(), "make") if words}
    assert asked <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_python_program_is_there(path: Path) -> None:
    for words in filter(None, commands(path.read_text(), "python")):
        if len(words) > 1 and words[0] == "-m" and words[1].split(".")[0] in OWN:
            module = ROOT.joinpath(*words[1].split("."))
            assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
        elif words[0].endswith(".py"):
            assert (ROOT / words[0]).is_file()


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_path_is_there(path: Path) -> None:
    missing = {name for name in PATHS.findall(path.read_text()) if not (ROOT / name).exists()}
    assert missing == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_python_compiles(path: Path) -> None:
    blocks = python_blocks(path.read_text())
    for block in blocks:
        assert compile(block, str(path), "exec").co_names
    assert blocks or path.name != "README.md"
