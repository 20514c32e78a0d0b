"""What mlflow and wandb take and keep, where they are not installed: the calls that Upwell makes of
them, with what they refuse of names.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

__all__ = ["KeptRun", "mlflow_double", "wandb_double"]

TAKEN = re.compile(r"[/\w.\- :]+")
"""Names, by mlflow."""


@dataclass
class KeptRun:
    """told: what describes it. points: name, value and step. ended: how."""

    made: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[str, float, int]] = field(default_factory=list)
    ended: object = None


class Metric(NamedTuple):
    key: str
    value: float
    timestamp: int
    step: int


class Param(NamedTuple):
    key: str
    value: str


def mlflow_double(monkeypatch: pytest.MonkeyPatch) -> list[KeptRun]:
    """In the place of mlflow, whether it is there or not; the runs that are made."""
    runs: list[KeptRun] = []
    experiments: dict[str, str] = {}

    class MlflowClient:
        def __init__(self, tracking_uri: str) -> None:
            self._uri = tracking_uri

        def get_experiment_by_name(self, name: str) -> Any:
            known = experiments.get(name)
            return None if known is None else SimpleNamespace(experiment_id=known)

        def create_experiment(self, name: str, artifact_location: str) -> str:
            assert name not in experiments
            experiments[name] = "1"
            return "1"

        def create_run(self, experiment_id: str, start_time: int, run_name: str | None) -> Any:
            runs.append(KeptRun({"uri": self._uri, "name": run_name, "began": start_time}))
            return SimpleNamespace(info=SimpleNamespace(run_id=str(len(runs) - 1)))

        def log_batch(
            self, run_id: str, metrics: Sequence[Metric] = (), params: Sequence[Param] = ()
        ) -> None:
            for name in (*(one.key for one in metrics), *(one.key for one in params)):
                if not TAKEN.fullmatch(name):
                    raise ValueError(f"Invalid name: {name}")
            run = runs[int(run_id)]
            run.told |= {one.key: one.value for one in params}
            run.points += [(one.key, one.value, one.step) for one in metrics]

        def set_terminated(self, run_id: str, status: str) -> None:
            runs[int(run_id)].ended = status

    parts: dict[str, dict[str, Any]] = {
        "mlflow": {},
        "mlflow.entities": {"Metric": Metric, "Param": Param},
        "mlflow.tracking": {"MlflowClient": MlflowClient},
    }
    _put(monkeypatch, parts)
    return runs


def wandb_double(monkeypatch: pytest.MonkeyPatch) -> list[KeptRun]:
    """In the place of wandb, likewise."""
    runs: list[KeptRun] = []

    class Run:
        def __init__(self, kept: KeptRun) -> None:
            self._kept = kept
            self.config = self._kept.told

        def log(self, values: dict[str, Any]) -> None:
            step = values["step"]
            self._kept.points += [(name, value, step) for name, value in values.items()]

        def finish(self, exit_code: int) -> None:
            self._kept.ended = exit_code

    def init(**made: Any) -> Run:
        runs.append(KeptRun(made))
        return Run(runs[-1])

    def histogram(np_histogram: tuple[Any, Any]) -> int:
        return int(np_histogram[0].sum())

    wandb = {"init": init, "Settings": dict, "Histogram": histogram}
    _put(monkeypatch, {"wandb": wandb})
    return runs


def _put(monkeypatch: pytest.MonkeyPatch, parts: dict[str, dict[str, Any]]) -> None:
    for name, has in parts.items():
        module = ModuleType(name)
        vars(module).update(has)
        monkeypatch.setitem(sys.modules, name, module)
