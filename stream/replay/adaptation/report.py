"""What fine-tuning did, for people and for scripts. It formats; it measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group

from stream.replay.table import Rows, plain

__all__ = ["Report", "adaptation_table"]


@dataclass(frozen=True, slots=True)
class Report:
    """folder: of the new model, None where none was written. pairs: by kind. weights: that were
    trained. validation: mean reciprocal rank, `before` any step and of the `best_step`. targets,
    before, after: of the test stretch by slice, NDCG@10 of text nearness. loss: mean of the first
    and of the last tenth of the steps.
    """

    model: str
    revision: str | None
    folder: str | None
    method: str
    pairs: Mapping[str, int]
    weights: int
    steps: int
    best_step: int
    loss: Mapping[str, float]
    validation: Mapping[str, float]
    targets: Mapping[str, int]
    before: Mapping[str, float]
    after: Mapping[str, float]
    left_out: int
    wall_s: float


def adaptation_table(report: Report) -> Group:
    """What `upwell adapt` shows."""
    slices = [f"{name.replace('_', ' ')} ({count:,})" for name, count in report.targets.items()]
    title = "NDCG@10 of text nearness, each target of the last stretch ranked over the catalogue"
    table = Rows("", *slices, title=title)
    for name, figures in (("before", report.before), ("after", report.after)):
        table.add_row(name, *(f"{figures[one]:.4f}" for one in report.targets))
    pairs = ", ".join(f"{count:,} {kind}" for kind, count in report.pairs.items())
    done = (
        f"{report.method}: {report.weights:,} weights trained on pairs of {pairs}; the best of "
        f"{report.steps:,} steps is {report.best_step:,}, {report.wall_s:,.0f} s"
    )
    return Group(table, plain(done), plain(_outcome(report)))


def _outcome(report: Report) -> str:
    if report.folder is not None:
        return f"{report.folder} is {report.revision}; try it: upwell encoder try {report.folder}"
    if report.best_step == 0:
        return "no step was worth more than the model as it was: nothing is written"
    return f"{report.method} makes no plain model: nothing is written"
