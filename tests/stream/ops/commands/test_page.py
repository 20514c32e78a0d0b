"""docs/cli.md is held to the commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer
from typer.core import TyperGroup

from stream.ops.cli import app
from stream.ops.commands.manual import MANUAL
from stream.ops.commands.page import cli_page, commands_of
from upwell.system.exit_codes import MEANINGS

ROOT = Path(__file__).parents[4]


def test_the_page_is_the_code_s() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == cli_page(), "run `make docs`"
    command = [sys.executable, "-m", "stream.ops.commands.page"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    assert (done.stdout.decode(), done.stderr) == (cli_page(), b"")


def test_each_command_has_its_section_with_its_example_and_options() -> None:
    page = cli_page()
    for path, command in commands_of(typer.main.get_command(app)):
        if isinstance(command, TyperGroup):
            continue
        section = page.partition(f"\n## {path}\n")[2].partition("\n## ")[0]
        assert f"```bash\n{MANUAL[path].example}\n```" in section
        for param in command.params:
            assert param.opts[0] in section or str(param.name).upper() in section
        assert "Ends with: 0, 1, 2, " in section


def test_each_exit_code_has_a_row() -> None:
    rows = [row for row in cli_page().splitlines() if row[:3] in {f"| {n}" for n in range(10)}]
    assert len(rows) == len(MEANINGS)
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)
