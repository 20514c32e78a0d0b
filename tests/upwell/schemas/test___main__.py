"""docs/schemas is the code's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from upwell.schemas.__main__ import schema_files

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"


def files(folder: Path) -> dict[str, str]:
    return {one.name: one.read_text(encoding="utf-8") for one in folder.iterdir()}


def test_the_files_are_the_code_s() -> None:
    assert files(FOLDER) == schema_files(), "run `make docs`"


def test_the_command_writes_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "upwell.schemas", str(tmp_path / "new")]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert files(tmp_path / "new") == schema_files()
