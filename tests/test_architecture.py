"""docs/architecture.md is held to the tree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TOPS = ("upwell", "gateway", "stream", "encoders", "learner", "store", "infra")


def test_every_path_that_is_named_exists() -> None:
    named = set(
        re.findall(rf"\b(?:{'|'.join(TOPS)}|docs|bench|tests|examples|recipes)/[\w./]*\w\b/?", TEXT)
    )
    assert len(named) > 40
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_room_has_its_row() -> None:
    """A room is a folder with modules of its own."""
    rows = set(re.findall(r"^\| `([\w/]+)/` \|", TEXT, re.MULTILINE))
    rooms = {
        str(init.parent.relative_to(ROOT))
        for top in TOPS
        for init in (ROOT / top).rglob("__init__.py")
        if len(list(init.parent.glob("*.py"))) > 1
    }
    assert rows == rooms


def test_every_contract_is_named() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = [one["name"] for one in settings["tool"]["importlinter"]["contracts"]]
    arrows = TEXT.partition("## Arrows")[2].partition("\n## ")[0]
    assert re.findall(r"^- `(.*?)`", arrows, re.MULTILINE) == contracts
