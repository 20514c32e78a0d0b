"""What settings are worth on records, test then learn, in the inline engine: NDCG@10 of growing
prefixes for the search, sums of each micro-batch for a comparison.

The figures of the first n events are the same whether the log goes on or not (prefix invariance),
so runs that are cut short may be held against each other at the same prefix.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import Settings

__all__ = ["Point", "Run", "prefixes", "whole_run"]

POINTS = 10
WARMUP_POINTS = 1


class Point(NamedTuple):
    """step: tenths of the events that were played. ndcg10: of the targets since the first tenth,
    which warms up; nan where there was none.
    """

    step: int
    ndcg10: float


@dataclass(frozen=True, slots=True)
class Run:
    """sums: (b, 2) targets and their summed gains, of each micro-batch of the rest."""

    sums: NDArray[np.float64]
    records_per_s: float


def prefixes(settings: Settings, encoder: Encoder, records: Sequence[LogRecord]) -> Iterator[Point]:
    """A point a tenth, in whole micro-batches; the last one is of all records."""
    engine, size = InlineEngine(settings, encoder), settings.stream.batch_events
    steps = _steps(records)
    for start, _ in zip(count(0, size), engine.play(records), strict=False):
        before, step = steps[min(start, len(records))], steps[min(start + size, len(records))]
        if before < WARMUP_POINTS <= step < POINTS:
            engine.learner.figures.reset()
        elif before < step:
            yield Point(int(step), engine.learner.figures.ndcg10()["all"])


def _steps(records: Sequence[LogRecord]) -> NDArray[np.int64]:
    """(n + 1,) how many tenths of the events are before each record, and behind the last."""
    events = np.cumsum([0, *(line.topic is not Topic.ITEMS for line in records)])
    return np.asarray(POINTS * events // max(1, events[-1]))


def whole_run(
    settings: Settings, encoder: Encoder, first: Sequence[LogRecord], rest: Sequence[LogRecord]
) -> Run:
    """The first part, uncounted, then the rest."""
    engine = InlineEngine(settings, encoder)
    started = time.perf_counter()
    for _ in engine.play(first):
        pass
    engine.learner.figures.reset()
    totals = [(0.0, 0.0), *(_total(engine) for _ in engine.play(rest))]
    seconds = time.perf_counter() - started
    return Run(np.diff(np.array(totals), axis=0), (len(first) + len(rest)) / seconds)


def _total(engine: InlineEngine) -> tuple[float, float]:
    figures = engine.learner.figures
    targets = figures.targets["all"]
    return targets, targets * figures.ndcg10()["all"] if targets else 0.0
