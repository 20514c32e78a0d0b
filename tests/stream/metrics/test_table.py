"""docs/metrics.md is held to the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stream.metrics.registry import METRICS, UNTOLD
from stream.metrics.table import metrics_page

ROOT = Path(__file__).parents[3]


def test_the_page_is_the_code_s() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert page == metrics_page(), "run `make docs`"
    command = [sys.executable, "-m", "stream.metrics.table"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    assert (done.stdout.decode(), done.stderr) == (metrics_page(), b"")


def test_each_figure_and_each_that_is_untold_has_a_row() -> None:
    rows = [row for row in metrics_page().splitlines() if row.startswith("| `")]
    assert len(rows) == len(METRICS) + len(UNTOLD)
    assert all(row.replace("\\|", "").count("|") in (8, 3) for row in rows)
