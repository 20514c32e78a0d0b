"""What a fresh machine installs is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_lock_pins_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {
        re.split(r"[<>=~!\[ ]", one)[0]
        for one in project["project"]["dependencies"] + project["dependency-groups"]["test"]
    }
    pinned = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert asked <= pinned, f"run `make lock`: {sorted(asked - pinned)}"
