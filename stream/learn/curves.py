"""Where curves are drawn: TensorBoard's event files, or a run of Weights & Biases that stays
offline. It knows nothing of what is drawn.

TensorBoard's own writer writes on a thread that a full disk ends, and a torn record hides all that
comes after it in a file: here each time is one write, and what was torn is cut off.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from errno import ENOSPC
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from upwell.errors import SettingsError

__all__ = ["Curves", "TensorBoard", "WeightsAndBiases", "curves"]

Distributions = Mapping[str, NDArray[np.floating[Any]]]
_BINS = 64


class Curves(Protocol):
    """Called from the learner's loop, each time with all that there is at that point."""

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        """at: UTC seconds. distributions: (n,) finite values each. Raises `OSError` where nothing
        can be written now; the next time may go well.
        """
        ...

    def close(self) -> None:
        """Nothing is written any more."""
        ...


class TensorBoard:
    """One file in `folder`. Raises `ImportError` where tensorboard is missing."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
        from torch.utils.tensorboard import summary

        self._event, self._all, self._writer = Event, Summary, RecordWriter
        self._parts: Any = summary
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.upwell"
        self._file = folder / name

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        parts = [self._parts.scalar(name, value) for name, value in scalars.items()]
        parts += [
            self._parts.histogram(name, values, bins=_BINS)
            for name, values in distributions.items()
        ]
        found = self._all(value=[one for part in parts for one in part.value])
        self._append(self._event(wall_time=at, step=step, summary=found), at)

    def _append(self, event: Any, at: float) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab", buffering=0) as file:
            whole = file.tell()
            record = self._record(event)
            if not whole:
                head = self._event(wall_time=at, file_version="brain.Event:2")
                record = self._record(head) + record
            if file.write(record) < len(record):
                file.truncate(whole)
                raise OSError(ENOSPC, os.strerror(ENOSPC), str(self._file))

    def _record(self, event: Any) -> bytes:
        found = BytesIO()
        self._writer(found).write(event.SerializeToString())
        return found.getvalue()

    def close(self) -> None:
        """Each time is on the disk."""


class WeightsAndBiases:
    """A run that stays offline, below `folder`; `wandb sync` sends it. Raises `ImportError` where
    wandb is missing.
    """

    def __init__(self, folder: Path) -> None:
        import wandb

        self._wandb: Any = wandb
        self._folder = folder
        self._run: Any = None

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        drawn = {
            name: self._wandb.Histogram(np_histogram=np.histogram(values, _BINS))
            for name, values in distributions.items()
        }
        try:
            if self._run is None:
                self._run = self._begin()
            self._run.log({**scalars, **drawn, "examples": step, "at": at})
        except self._wandb.Error as exc:
            raise OSError(str(exc)) from exc

    def _begin(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder):
            """wandb would write elsewhere, where it cannot here."""
        quiet = self._wandb.Settings(silent=True, console="off")
        return self._wandb.init(project="upwell", dir=self._folder, mode="offline", settings=quiet)

    def close(self) -> None:
        if self._run is not None:
            self._run.finish()


_KINDS: Mapping[str, tuple[Callable[[Path], Curves], str]] = {
    "tensorboard": (TensorBoard, "pip install 'upwell[track]'"),
    "wandb": (WeightsAndBiases, "pip install wandb"),
}


def curves(to: str) -> Curves:
    """to: as `UPWELL_TRACK`. Raises `SettingsError` where its package is missing."""
    name, _, folder = to.partition(":")
    kind, get = _KINDS[name]
    try:
        return kind(Path(folder))
    except ImportError as exc:
        raise SettingsError(f"UPWELL_TRACK is {to}: it needs {exc.name or name}, {get}") from exc
