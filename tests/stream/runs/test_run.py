"""A run: what is written of it, when, and what is said where that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from stream.runs import run as module
from stream.runs.about import About
from stream.runs.run import Run
from tests.stream.runs.read import only, scalars_of, told_of
from upwell.errors import SettingsError
from upwell.settings import Settings, TrackingSettings

NOW = 1_000.0


@dataclass
class Kept:
    """What was written; nothing while `full`."""

    calls: list[Any] = field(default_factory=list)
    full: bool = False

    def describe(self, told: Mapping[str, Any], at: float) -> None:
        self._keep("described", told["steps"], at)

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Mapping[str, Any]
    ) -> None:
        assert not distributions
        self._keep(step, at, dict(scalars))

    def close(self, failed: bool = False) -> None:
        self._keep("failed" if failed else "whole")

    def _keep(self, *call: object) -> None:
        if self.full:
            raise OSError("disk full")
        self.calls.append(call)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    found = Kept()
    monkeypatch.setattr(module, "require", lambda to: None)
    monkeypatch.setattr(module, "curves", lambda to, name: found)
    return found


def about(to: str | None = "wandb:runs") -> About:
    settings = replace(Settings(), tracking=TrackingSettings(to=to))
    return About("adapt-1", {"steps": 20}, None, settings)


def silent(words: str) -> None:
    raise AssertionError(words)


def made(of: About, say: Callable[[str], None] = silent) -> Run:
    return Run(of, say, lambda: NOW)


def test_it_is_described_before_its_first_point_and_ends_with_its_figures(kept: Kept) -> None:
    with made(about()) as run:
        assert kept.calls == []
        run.point(1, {"curve/loss": 0.5})
        run.point(2, {"curve/loss": 0.25})
        run.result({"ndcg10": {"all": 0.125}, "gain": math.nan, "log": "a"}, 2)
    assert kept.calls == [
        ("described", 20, NOW),
        (1, NOW, {"curve/loss": 0.5}),
        (2, NOW, {"curve/loss": 0.25}),
        (2, NOW, {"ndcg10/all": 0.125}),
        ("whole",),
    ]


def test_a_run_that_ended_by_a_fault_says_so(kept: Kept) -> None:
    def broken() -> None:
        with made(about()) as run:
            run.point(1, {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert kept.calls[-1] == ("failed",)


def test_what_cannot_be_written_is_said_once_and_the_next_point_is_tried(kept: Kept) -> None:
    said: list[str] = []
    kept.full = True
    with made(about(), said.append) as run:
        run.point(1, {"curve/loss": 0.5})
        run.point(2, {"curve/loss": 0.5})
        kept.full = False
        run.result({"all": 0.125})
        kept.full = True
    assert kept.calls == [("described", 20, NOW), (0, NOW, {"all": 0.125})]
    assert said == ["this run is not tracked in wandb:runs (disk full): what is printed stands"]


def test_a_log_that_went_away_is_said(kept: Kept, tmp_path: Path) -> None:
    said: list[str] = []
    with made(replace(about(), data=tmp_path / "gone.jsonl"), said.append) as run:
        run.result({"all": 0.125})
    assert kept.calls == [("whole",)]
    assert "gone.jsonl" in said[0]


def test_unset_writes_nothing_and_asks_for_nothing(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "require", silent)
    with made(replace(about(None), data=tmp_path / "gone.jsonl")) as run:
        run.point(1, {"curve/loss": 0.5})
        run.result({"all": 0.125})
        run.part("trial-000", {}).result({"all": 0.125})
    assert kept.calls == []


def test_a_missing_package_is_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(to: str) -> None:
        raise SettingsError(f"UPWELL_TRACK is {to}: it needs wandb")

    monkeypatch.setattr(module, "require", missing)
    with pytest.raises(SettingsError, match="it needs wandb"):
        made(about())


def test_a_package_that_cannot_be_imported_costs_no_figures(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(to: str, name: str) -> None:
        raise SettingsError("it needs protobuf")

    said: list[str] = []
    monkeypatch.setattr(module, "curves", broken)
    with made(about(), said.append) as run:
        run.result({"all": 0.125})
    assert "it needs protobuf" in said[0]


def test_a_run_and_a_part_of_it_are_read_back(tmp_path: Path) -> None:
    of = about(f"tensorboard:{tmp_path}")
    with made(of) as run:
        with run.part("trial-000", {"neighbours": 64}) as part:
            part.point(3, {"tune/ndcg10": 0.5})
        run.result({"ndcg10": 0.25})
    assert scalars_of(only(tmp_path) / "trial-000") == {"tune/ndcg10": [(3, 0.5)]}
    assert told_of(only(tmp_path) / "trial-000")["neighbours"] == 64
    assert scalars_of(tmp_path / "adapt-1")["ndcg10"] == [(0, 0.25)]
    assert told_of(tmp_path / "adapt-1")["steps"] == 20
