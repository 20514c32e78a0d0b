"""What `upwell fairness` shows, of records as workers write them."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from stream.ops.commands.manual import MANUAL
from stream.ops.top.fair import fairness_report, fairness_tables
from tests.stream.ops.top.records import QUALITY, SHOWN, learn, serve

BOUND = {"popularity:tail": {"least": 0.3, "share": 0.25, "term": 1.5}}


def shown(report: dict[str, Any], width: int = 160) -> str:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        for table in fairness_tables(report):
            console.print(table)
    return capture.get()


def test_the_object_is_what_the_manual_says() -> None:
    records = {
        "serve-0": serve(1, fairness=SHOWN),
        "serve-1": serve(1, "serve-1", fairness={}),
        "learn": learn(1, groups=QUALITY),
        "old": serve(1, "old"),
    }
    report = fairness_report(records)
    assert list(report) == list(MANUAL["fairness"].fields)
    assert report == {"workers": {"serve-0": SHOWN}, "quality": QUALITY, "quality_gaps": None}
    nothing: dict[str, Any] = {"workers": {}, "quality": None, "quality_gaps": None}
    assert fairness_report({"serve-0": records["serve-1"]}) == nothing


def test_the_tables_hold_every_figure_and_no_word_of_an_app_writes_on_the_terminal() -> None:
    report: dict[str, Any] = {"workers": {"serve-0": SHOWN | {"bounds": BOUND}}}
    report |= {"quality": QUALITY, "quality_gaps": None}
    text = shown(report)
    for figure in ("1,234 lists", "Gini 0.75", "coverage 40.0%", "25.0%", "50.0%", "0.50", "0.12"):
        assert figure in text
    assert "popularity:tail" in text
    assert "30.0%" in text
    assert "1.50" in text
    assert "0.0500" in text
    assert "[red]Krimi" in text
    assert "\x1b" not in text
    assert shown(report, width=30)


def test_without_bounds_and_a_learner_there_are_no_tables_of_theirs() -> None:
    text = shown({"workers": {"serve-0": SHOWN}, "quality": None, "quality_gaps": None})
    assert "bounds" not in text
    assert "NDCG" not in text
    assert shown({"workers": {}, "quality": None, "quality_gaps": None}) == ""


def test_segments_are_told_with_their_gaps_and_a_group_of_few_is_a_dash() -> None:
    few = {"lists": None, "divergence": None, "tail": None}
    women = {"lists": 0.625, "divergence": 0.25, "tail": 0.375}
    one = SHOWN | {
        "segments": {"[red]women\x1b[31m": women, "men": few},
        "gaps": {"divergence": 0.0625, "tail": 0.125},
    }
    quality = QUALITY | {"segment": {"women": {"ndcg10": 0.0412, "hr10": None}}}
    records = {
        "serve-0": serve(1, fairness=one),
        "learn": learn(1, groups=quality, segment_gaps={"ndcg10": 0.0123, "hr10": 0.0456}),
    }
    text = shown(fairness_report(records))
    for figure in ("62.5%", "0.25", "37.5%", "0.06", "12.5%", "0.0412", "0.0123", "0.0456"):
        assert figure in text
    assert "[red]women" in text
    assert "\x1b" not in text
    assert [line.count("–") for line in text.splitlines() if " men " in line] == [3]
