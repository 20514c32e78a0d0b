"""The search sees the first part alone; what it chose is held against what holds on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from encoders.hashing import HashingEncoder
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from stream.replay.tuning import Options, Report, tune
from stream.replay.tuning.measure import Point
from stream.replay.tuning.parts import Parts, split
from stream.replay.tuning.space import Values
from stream.replay.tuning.study import Trial
from tests.stream.replay.tuning.logs import SETTINGS, small_log

ENCODER = HashingEncoder()


def tuned(
    folder: Path, parts: Parts, ended: list[Trial] | None = None
) -> tuple[Report, list[tuple[int, Point]]]:
    points, ended = list[tuple[int, Point]](), [] if ended is None else ended
    report = tune(
        SETTINGS,
        ENCODER,
        parts,
        Options(folder, 3, 7),
        lambda number, values, point: points.append((number, point)),
        ended.append,
    )
    return report, points


def test_the_rest_is_never_looked_at_while_searching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two logs that differ in the rest alone make the same trials, point for point; and no record
    of the rest reaches an engine before the last trial ended.
    """
    one = split(small_log(200), 0.5)
    other = Parts(one.first, split(small_log(200, seed=9), 0.5).rest)
    unseen = {id(line) for line in (*one.rest, *other.rest)}
    early, ended = list[LogRecord](), list[Trial]()
    process = InlineEngine.process

    def watched(engine: InlineEngine, batch: Sequence[LogRecord]) -> object:
        if len(ended) < 3:
            early.extend(line for line in batch if id(line) in unseen)
        return process(engine, batch)

    monkeypatch.setattr(InlineEngine, "process", watched)
    found = []
    for name, parts in (("one", one), ("other", other)):
        ended.clear()
        report, points = tuned(tmp_path / name, parts, ended)
        found.append((report.trials, points))
    assert early == []
    assert found[0] == found[1]


def test_the_gain_is_of_the_rest_and_the_trials_are_kept(tmp_path: Path) -> None:
    parts = split(small_log(200), 0.5)
    report, points = tuned(tmp_path, parts)
    assert [one.number for one in report.trials] == [0, 1, 2]
    assert report.trials[0].values == report.base
    assert report.chosen.ndcg10 >= report.trials[0].ndcg10
    if report.chosen.number:
        assert report.on_rest is not None
        assert 0 < report.on_rest.targets <= 100
        assert report.changed
    else:
        assert report.on_rest is None
        assert report.changed == {}
    again, none = tuned(tmp_path, parts)
    assert again.trials == report.trials
    assert again.on_rest == report.on_rest
    assert {number for number, _ in points} == {0, 1, 2}
    assert none == []


def test_a_run_that_was_ended_goes_on(tmp_path: Path) -> None:
    parts = split(small_log(120), 0.5)

    def end(number: int, values: Values, point: Point) -> None:
        if number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(SETTINGS, ENCODER, parts, Options(tmp_path / "cut", 3, 7), end)
    report, points = tuned(tmp_path / "cut", parts)
    assert {number for number, _ in points} == {1, 2}
    assert report.trials == tuned(tmp_path / "whole", parts)[0].trials
