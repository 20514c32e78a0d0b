"""docs/settings.md is held to the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from upwell.settings import all_settings, load_settings
from upwell.settings.table import setting_lines, settings_page

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "settings.md"


def test_the_page_is_the_code_s() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run `make docs`"
    command = [sys.executable, "-m", "upwell.settings.table"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    assert (done.stdout.decode(), done.stderr) == (settings_page(), b"")


def test_each_setting_has_its_row_under_its_group() -> None:
    sections = settings_page().split("\n## ")[1:]
    rows = [
        (one.partition("`")[2].partition("`")[0], one)
        for section in sections
        for one in section.splitlines()
        if one.startswith("| `")
    ]
    assert [variable for variable, _ in rows] == [one.variable for one in all_settings()]
    explore = next(row for variable, row in rows if variable == "UPWELL_EXPLORE")
    cells = [cell.strip() for cell in explore.strip("|").split("|")]
    assert cells[1:6] == ["`learner.explore`", "`0.05`", "0 to 0.5", "share", "tuner"]


def test_lines_show_what_holds_and_no_secret() -> None:
    settings = load_settings({"UPWELL_LIST_K": "12", "UPWELL_QDRANT_API_KEY": "hush"})
    lines = list(setting_lines(settings))
    assert len(lines) == len(all_settings())
    assert "UPWELL_LIST_K = 12 (set; entries, 1 to 100): in a list, unless a request asks" in str(
        lines
    )
    assert "UPWELL_QDRANT_API_KEY = *** (set; any text, never shown)" in str(lines)
    assert "UPWELL_FUSED = on (default; on, off)" in str(lines)
    assert "hush" not in str(lines)
