"""What a search came to, for people and for scripts, and its line in `upwell.toml`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.text import Text

from stream.replay.table import Rows
from stream.replay.tuning.gain import Gain
from stream.replay.tuning.search import Report
from stream.replay.tuning.space import Values
from stream.replay.tuning.study import Trial

__all__ = ["comment", "report_json", "report_table", "trial_line", "verdict"]


def trial_line(trial: Trial, trials: int) -> str:
    """Of one that ended."""
    how = "ended early" if trial.pruned else "whole"
    return (
        f"trial {trial.number + 1} of {trials}: {trial.ndcg10:.4f} ({how}; {_named(trial.values)})"
    )


def verdict(report: Report) -> str:
    """Whether the chosen settings earn something, in a sentence."""
    found = report.on_rest
    if found is None:
        return "What holds was best on the first part: nothing is written."
    if found.sure:
        return f"On the rest, which the search did not see, it gains {_interval(found)}."
    return (
        f"No gain on the rest that could be told from chance: {_interval(found)}; nothing is "
        "written."
    )


def comment(report: Report, log: str, share: float, seed: int) -> str:
    """Of the lines in upwell.toml."""
    found = report.on_rest
    assert found is not None
    return (
        f"{log}: NDCG@10 {found.before:.4f} before, {found.after:.4f} with these, on "
        f"{found.targets:,} targets behind the first {share:.0%}, unseen while searching; gain "
        f"{_interval(found)}; {len(report.trials)} trials, seed {seed}"
    )


def report_table(report: Report) -> Group:
    """Settings and figures before and after."""
    table = Rows("", "what holds", "found", title=f"Best of {len(report.trials)} trials")
    for name, value in report.chosen.values.items():
        style = "bold" if name in report.changed else ""
        table.add_row(f"learner.{name}", f"{report.base[name]}", f"{value}", style=style)
    first = report.trials[0]
    table.add_row("NDCG@10, first part", f"{first.ndcg10:.4f}", f"{report.chosen.ndcg10:.4f}")
    if (found := report.on_rest) is not None:
        table.add_row("NDCG@10, unseen rest", f"{found.before:.4f}", f"{found.after:.4f}")
    if (speeds := report.records_per_s) is not None:
        table.add_row("records a second", *(f"{speed:,.0f}" for speed in speeds))
    return Group(table, Text(verdict(report)))


def report_json(report: Report, written: str | None) -> dict[str, Any]:
    """As the manual says."""
    found, speeds = report.on_rest, report.records_per_s
    before = report.trials[0]
    return {
        "trials": len(report.trials),
        "pruned": sum(one.pruned for one in report.trials),
        "settings": {
            f"learner.{name}": {"held": report.base[name], "found": value}
            for name, value in report.chosen.values.items()
        },
        "first": {"held": before.ndcg10, "found": report.chosen.ndcg10},
        "unseen": None if found is None else _unseen(found),
        "records_per_s": None
        if speeds is None
        else dict(zip(("held", "found"), speeds, strict=True)),
        "written": written,
    }


def _unseen(found: Gain) -> dict[str, Any]:
    """An end of the interval that cannot be told is null."""
    finite = {
        name: value if math.isfinite(value) else None for name, value in asdict(found).items()
    }
    return {
        "targets": finite["targets"],
        "held": finite["before"],
        "found": finite["after"],
        "gain": found.gain if math.isfinite(found.gain) else None,
        "low": finite["low"],
        "high": finite["high"],
    }


def _interval(found: Gain) -> str:
    return f"{found.gain:+.4f} (95 % interval {found.low:+.4f} to {found.high:+.4f})"


def _named(values: Values) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
