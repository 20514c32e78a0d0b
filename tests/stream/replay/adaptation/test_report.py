from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from stream.replay.adaptation.report import Report, adaptation_table

REPORT = Report(
    model="m@1/mean/float32",
    revision="out@2/mean/float32",
    folder="models/out",
    method="lora",
    pairs={"likes": 4_000, "searches": 2},
    weights=9_216,
    steps=60,
    best_step=40,
    loss={"first": 3.0, "last": 2.0},
    validation={"before": 0.02, "best": 0.03},
    targets={"all": 1_234, "cold_user": 5, "new_item": 6},
    before={"all": 0.0117, "cold_user": 0.0073, "new_item": 0.0},
    after={"all": 0.02, "cold_user": 0.01, "new_item": 0.5},
    left_out=0,
    wall_s=61.4,
)


def shown(report: Report) -> str:
    console = Console(width=120)
    with console.capture() as seen:
        console.print(adaptation_table(report))
    return " ".join(seen.get().split())


def test_figures_before_and_after_stand_below_their_slices() -> None:
    text = shown(REPORT)
    assert "cold user (5)" in text
    assert "before │ 0.0117 │ 0.0073 │ 0.0000" in text
    assert "after │ 0.0200 │ 0.0100 │ 0.5000" in text
    assert "lora: 9,216 weights trained on pairs of 4,000 likes, 2 searches" in text
    assert "best of 60 steps is 40, 61 s" in text


def test_it_says_what_was_written_or_why_nothing_was() -> None:
    assert "models/out is out@2/mean/float32; try it: upwell encoder try models/out" in shown(
        REPORT
    )
    worse = replace(REPORT, folder=None, revision=None, best_step=0)
    assert "no step was worth more" in shown(worse)
    prefix = replace(REPORT, folder=None, revision=None, method="prefix")
    assert "prefix makes no plain model: nothing is written" in shown(prefix)
