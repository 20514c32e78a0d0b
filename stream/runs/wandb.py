"""Curves as a run of Weights & Biases that stays offline; `wandb sync` sends it. It knows nothing
of what is drawn.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from stream.runs.port import Distributions, Told
from stream.runs.tensorboard import BINS

__all__ = ["WeightsAndBiases"]

_SETTINGS = {
    "silent": True,
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
"""It would keep the command line, the machine's name and the user's, and what git differs by."""


class WeightsAndBiases:
    """A run below `folder`. Raises `ImportError` where wandb is missing."""

    def __init__(self, folder: Path, name: str = "") -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # its own faults, to its makers
        import wandb

        self._wandb: Any = wandb
        self._folder, self._name = folder, name
        self._begun: Any = None

    def describe(self, told: Told, at: float) -> None:
        """In the run's configuration."""
        with self._faulty():
            self._run().config.update(dict(told))

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        drawn = {
            name: self._wandb.Histogram(np_histogram=np.histogram(values, BINS))
            for name, values in distributions.items()
        }
        with self._faulty():
            self._run().log({**scalars, **drawn, "step": step, "at": at})

    def close(self, failed: bool = False) -> None:
        if self._begun is not None:
            with self._faulty():
                self._begun.finish(exit_code=int(failed))

    @contextmanager
    def _faulty(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except Exception as exc:  # its own, and those of its process beside this one
            raise OSError(f"{self._folder}: {type(exc).__name__}: {exc}") from exc

    def _run(self) -> Any:
        if self._begun is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                """wandb would write elsewhere, where it cannot here."""
            self._begun = self._wandb.init(
                project="upwell",
                name=self._name or None,
                dir=self._folder,
                mode="offline",
                settings=self._wandb.Settings(**_SETTINGS),
            )
        return self._begun
