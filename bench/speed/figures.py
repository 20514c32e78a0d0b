"""Figures of several repeats: percentiles, medians, open-loop schedules, and which list answered
which event. Pure.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Answer", "Sent", "due_times", "latencies", "medians", "percentiles"]


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that was sent. source: topic-partition, as a list's `covers` names it. due_ms: when
    it was to be sent, whenever it was; UTC ms.
    """

    event_id: str
    user: str
    source: str
    offset: int
    due_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A list. covers: the last offset of the user's events that it knows, by source. appended_ms:
    when the broker had it, UTC ms.
    """

    user: str
    covers: Mapping[str, int]
    appended_ms: float


def due_times(events: int, rate: float) -> list[float]:
    """Seconds from the start at which each event is to be sent: evenly, `rate` a second."""
    return [number / rate for number in range(events)]


def latencies(sent: Iterable[Sent], answers: Iterable[Answer]) -> tuple[list[float], int]:
    """Of each event the ms from its due time to the first list of its user that knows it; and how
    many events no list knows.
    """
    lists: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for answer in sorted(answers, key=lambda one: one.appended_ms):
        for source, offset in answer.covers.items():
            lists[answer.user, source].append((answer.appended_ms, offset))
    found, unanswered = [], 0
    for event in sent:
        knowing = lists.get((event.user, event.source), ())
        at = next((at for at, offset in knowing if offset >= event.offset), None)
        if at is None:
            unanswered += 1
        else:
            found.append(at - event.due_ms)
    return found, unanswered


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50 and p99, interpolated; empty where there is nothing."""
    if not values:
        return {}
    p50, p99 = np.percentile(values, (50, 99))
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each figure the median over the runs that have it, and its lowest and highest."""
    names = dict.fromkeys(name for run in runs for name in run)
    figures: dict[str, float] = {}
    for name in names:
        values = [run[name] for run in runs if name in run]
        figures[name] = round(statistics.median(values), 2)
        figures[f"{name}_lowest"] = round(min(values), 2)
        figures[f"{name}_highest"] = round(max(values), 2)
    return figures
