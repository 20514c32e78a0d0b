"""Curves as a run of MLflow, in a database in a folder; no server is asked. It knows nothing of
what is drawn.

The database is SQLite: MLflow's store of plain files is refused by MLflow itself since 3.13.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stream.runs.port import Distributions, Told

__all__ = ["DATABASE", "MLflow"]

DATABASE = "mlflow.db"
"""In the folder."""
_EXPERIMENT = "upwell"
_REFUSED = re.compile(r"[^\w./ -]")
"""What MLflow takes in no name."""


class MLflow:
    """A run in the folder's database. Distributions are left out: MLflow has none. Raises
    `ImportError` where mlflow is missing.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would tell its makers
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        self._metric, self._param, self._make = Metric, Param, MlflowClient
        self._folder, self._name = folder.absolute(), name
        self._client: Any = None
        self._run = ""

    def describe(self, told: Told, at: float) -> None:
        """As parameters, which are texts."""
        found = [self._param(_name(name), str(value)) for name, value in told.items()]
        with self._writing(at):
            self._client.log_batch(self._run, params=found)

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        found = [self._metric(_name(name), value, _ms(at), step) for name, value in scalars.items()]
        with self._writing(at):
            self._client.log_batch(self._run, metrics=found)

    def close(self, failed: bool = False) -> None:
        if self._run:
            with self._faulty():
                self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")

    @contextmanager
    def _writing(self, at: float) -> Iterator[None]:
        with self._faulty():
            if not self._run:
                with _logging_kept():
                    self._begin(at)
            yield

    @contextmanager
    def _faulty(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except Exception as exc:  # its own, SQLAlchemy's, those of its migrations
            raise OSError(f"{self._folder / DATABASE}: {type(exc).__name__}: {exc}") from exc

    def _begin(self, at: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._client = self._make(f"sqlite:///{self._folder / DATABASE}")
        known = self._client.get_experiment_by_name(_EXPERIMENT)
        number = (
            known.experiment_id
            if known is not None
            else self._client.create_experiment(_EXPERIMENT, (self._folder / "artifacts").as_uri())
        )
        made = self._client.create_run(number, _ms(at), run_name=self._name or None)
        self._run = made.info.run_id


@contextmanager
def _logging_kept() -> Iterator[None]:
    """A new database tells each of its migrations, and they set up this process' logging anew."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers
        root.setLevel(level)


def _name(text: str) -> str:
    return _REFUSED.sub("_", text)


def _ms(at: float) -> int:
    return int(1000 * at)
