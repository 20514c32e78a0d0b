"""The short run of what `python -m tests.fuzz.run` does at length: each input is an event or a dead
letter, never a crash.
"""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.judge import Judge
from tests.fuzz.run import fuzz

INPUTS = 1_000


def test_no_input_is_more_than_a_dead_letter(tmp_path: Path) -> None:
    judge = Judge(tmp_path)
    fuzz(judge, INPUTS, 0)
    counts = judge.counts
    assert counts["inputs"] >= INPUTS
    assert (
        counts["events"] + counts["dead_letters"] + counts["logs"] + counts["refused_logs"]
        == counts["inputs"]
    )
    assert (
        min(counts["events"], counts["dead_letters"], counts["log_records"], counts["bad_lines"])
        > 20
    )  # both sides are reached
    assert len(judge.reasons) > 10
