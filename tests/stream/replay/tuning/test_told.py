from __future__ import annotations

import io

import orjson
from rich.console import Console

from stream.ops.commands.manual import MANUAL
from stream.replay.tuning.file import with_learner
from stream.replay.tuning.gain import Gain
from stream.replay.tuning.search import Report
from stream.replay.tuning.study import Trial
from stream.replay.tuning.told import comment, report_json, report_table, trial_line

BASE, FOUND = {"neighbours": 256, "candidates": 30}, {"neighbours": 64, "candidates": 30}
TRIALS = [Trial(0, BASE, 0.1, False), Trial(1, BASE, 0.05, True), Trial(2, FOUND, 0.2, False)]


def report(low: float, high: float = 0.05) -> Report:
    return Report(TRIALS, BASE, TRIALS[2], Gain(1_000, 0.1, 0.125, low, high), (500.0, 250.0))


def shown(told: Report) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report_table(told))
    return " ".join(console.export_text().split())


def test_a_gain_is_said_and_what_is_not_sure_is_none() -> None:
    assert "it gains +0.0250 (95 % interval +0.0100 to +0.0500)" in shown(report(0.01))
    assert "learner.neighbours │ 256 │ 64" in shown(report(0.01))
    assert "No gain on the rest" in shown(report(-0.01))
    assert "nothing is written" in shown(report(-0.01))
    assert "What holds was best" in shown(Report(TRIALS, BASE, TRIALS[0]))


def test_the_object_has_the_fields_of_the_manual() -> None:
    found = report_json(report(float("-inf"), float("inf")), "upwell.toml")
    assert list(found) == list(MANUAL["tune"].fields)
    assert found["settings"]["learner.neighbours"] == {"held": 256, "found": 64}
    assert found["unseen"] == {
        "targets": 1_000,
        "held": 0.1,
        "found": 0.125,
        "gain": 0.125 - 0.1,
        "low": None,
        "high": None,
    }
    assert (found["trials"], found["pruned"]) == (3, 1)
    assert orjson.loads(orjson.dumps(found)) == found
    assert report_json(Report(TRIALS, BASE, TRIALS[0]), None)["unseen"] is None


def test_the_comment_is_one_line_of_the_file() -> None:
    text = with_learner("", report(0.01).changed, comment(report(0.01), "log.gz", 0.5, 7))
    assert text.splitlines() == [
        "[learner]",
        "# upwell tune log.gz: NDCG@10 0.1000 before, 0.1250 with these, on 1,000 targets behind "
        "the first 50%, unseen while searching; gain +0.0250 (95 % interval +0.0100 to +0.0500); "
        "3 trials, seed 7",
        "neighbours = 64",
    ]


def test_a_trial_is_a_line() -> None:
    assert trial_line(TRIALS[1], 3) == (
        "trial 2 of 3: 0.0500 (ended early; neighbours 256, candidates 30)"
    )
