"""A run of fine-tuning on the disk, whole or as it was before: a run that was killed goes on from
there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from upwell.errors import EncoderError

__all__ = ["Progress", "load_progress", "progress_file", "save_progress"]

_NAME = "adapt.checkpoint"


@dataclass(slots=True)
class Progress:
    """step: of the optimizer, done so far. losses: of each. scores: step and what it was worth, of
    each validation. best: the trained weights that were worth most. state: what the trainer needs
    to go on.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def best_step(self) -> int:
        """Of equal ones the first."""
        return max(self.scores, key=lambda one: one[1])[0]

    @property
    def in_vain(self) -> int:
        """Validations since the best."""
        return sum(step > self.best_step for step, _ in self.scores)


def progress_file(folder: Path) -> Path:
    """Where the run that writes its model to `folder` keeps itself."""
    return folder / _NAME


def save_progress(folder: Path, progress: Progress, run: str) -> None:
    """run: what names the run, so that no other goes on from here."""
    file = progress_file(folder)
    partial = file.with_name(f"{file.name}.partial")
    fields = {name: getattr(progress, name) for name in Progress.__slots__}
    with partial.open("wb") as out:
        torch.save({"run": run, **fields}, out)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)


def load_progress(folder: Path, run: str) -> Progress:
    """Raises `EncoderError` where there is none, or it is of another run."""
    file = progress_file(folder)
    if not file.is_file():
        raise EncoderError(f"there is no {file} to go on from: leave --resume out")
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as exc:  # torch raises many kinds for a torn file
        raise EncoderError(
            f"{file} is torn ({type(exc).__name__}): remove it and begin anew"
        ) from exc
    if found.pop("run") != run:
        raise EncoderError(
            f"{file} is of a run with another log, model or options: give the same ones, or "
            "another folder"
        )
    return Progress(**found)
