"""What one client says of one round, and why a report is refused. It is all that leaves a client of
what its users did.

It knows nothing about who sent it, nor what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.popularity import COUNT
from learner.federated.counted import ADDED, WIDTH, Counted, Passed
from learner.federated.state import counted_arrays, counted_of
from learner.federated.tables import Table
from learner.ranking.parameters import Arrays, part, prefixed

__all__ = ["Report", "fault_of", "report_of"]

LARGEST = 1e3
"""Of a weight's change: honest ones of a round stay below 10."""
MOST_EVENTS = 1_000_000_000
_SLACK = 1e-6
Names = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Report:
    """round: it was learned after so many rounds. passed: events that the counts are of. weights:
    how each moved, float32, as `GlobalModel.weights`. counted: what was added, in places. ready:
    the fused model was trained.
    """

    round: int
    passed: Passed
    weights: Mapping[str, NDArray[np.float32]]
    counted: Counted
    ready: bool

    def arrays(self) -> Arrays:
        """For a message."""
        return prefixed("weights.", self.weights) | counted_arrays(self.counted)

    def head(self) -> dict[str, Any]:
        """The rest, JSON-ready."""
        return {
            "round": self.round,
            "events": self.passed.events,
            "newcomers": self.passed.newcomers,
            "ready": self.ready,
        }

    @property
    def norm(self) -> float:
        """Euclidean, of all weights' changes."""
        return float(
            np.sqrt(sum(np.square(one.astype(np.float64)).sum() for one in self.weights.values()))
        )


def report_of(
    head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], like: Names, size: int
) -> Report | str:
    """The report, or why it is none. like: the model's weights; size: of its layout."""
    numbers = [head.get(name) for name in ("round", "events", "newcomers")]
    if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in numbers):
        return "round, events and newcomers are whole numbers from 0"
    fault = _shapes(arrays, like, size)
    if fault is not None:
        return fault
    counted = counted_of(arrays)
    report = Report(
        round=int(head["round"]),
        passed=Passed(int(head["events"]), int(head["newcomers"])),
        weights=part(arrays, "weights."),
        counted=Counted(counted.sums, counted.tables, counted.last, counted.first),
        ready=head.get("ready") is True,
    )
    return fault_of(report, size) or report


def fault_of(report: Report, size: int) -> str | None:
    """Why these numbers can be no honest client's, None where they can."""
    for name, one in report.weights.items():
        if not np.isfinite(one).all():
            return f"{name} is not finite"
        if np.abs(one).max(initial=0.0) > LARGEST:
            return f"{name} moved by more than {LARGEST:,.0f}"
    if report.passed.events > MOST_EVENTS:
        return f"more than {MOST_EVENTS:,} events in a round"
    if report.passed.newcomers > report.passed.events:
        return "there are more events of newcomers than events"
    return _sums(report.counted.sums, report.passed.events) or next(
        (
            f"table {name}: {why}"
            for name, table in report.counted.tables.items()
            if (why := _table(table, size, report.passed.events)) is not None
        ),
        None,
    )


def _shapes(arrays: Mapping[str, NDArray[Any]], like: Names, size: int) -> str | None:
    given = part(arrays, "weights.")
    if given.keys() != like.keys():
        odd = sorted(given.keys() ^ like.keys())
        return f"weights differ in {odd[0]}: another version, or other settings, made them"
    for name, one in like.items():
        if given[name].shape != one.shape or given[name].dtype != np.float32:
            return f"{name} is {given[name].dtype}{given[name].shape}, not float32{one.shape}"
    shape = {"counts.sums": (WIDTH, size), "counts.last": (size,), "counts.first": (size,)}
    for name, wanted in shape.items():
        sums = arrays.get(name)
        if sums is None or sums.shape != wanted or sums.dtype != np.float64:
            return f"{name} is missing, or not float64{wanted}"
    try:
        tables = counted_of(arrays).tables
    except KeyError as exc:
        return f"{exc.args[0]} is missing"
    for name, table in tables.items():
        if (
            table.keys.dtype != np.int64
            or table.values.dtype != np.float64
            or table.keys.ndim != 1
            or table.keys.shape != table.values.shape
        ):
            return f"table {name} is not as many int64 keys as float64 values"
    return None


def _sums(sums: NDArray[np.float64], events: int) -> str | None:
    if not np.isfinite(sums).all() or (sums < 0.0).any():
        return "counts are not finite, or below zero"
    of_events = sums[ADDED.index(COUNT)]
    if of_events.sum() > events * (1.0 + _SLACK) + 0.5:
        return f"{of_events.sum():,.0f} events on items, of {events:,} that passed"
    if len(of_events) and sums.max(initial=0.0) > 2.0 * events + 1.0:
        return "a count is larger than the events that passed"
    return None


def _table(table: Table, size: int, events: int) -> str | None:
    if len(table.keys) and (np.diff(table.keys) <= 0).any():
        return "keys are not ascending"
    if len(table.keys) and (
        table.keys[0] < 0 or table.rows.max() >= size or table.columns.max() >= size
    ):
        return "an item that the layout has not"
    if not np.isfinite(table.values).all() or (table.values < 0.0).any():
        return "entries are not finite, or below zero"
    if table.values.max(initial=0.0) > 2.0 * events + 1.0:
        return "an entry is larger than the events that passed"
    return None
