"""Curves as TensorBoard's event files. It knows nothing of what is drawn.

TensorBoard's own writer writes on a thread that a full disk ends, and a torn record hides all that
comes after it in a file: here each time is one write, and what was torn is cut off.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from errno import ENOSPC
from io import BytesIO
from pathlib import Path
from typing import Any

from stream.runs.port import Distributions, Told

__all__ = ["BINS", "TensorBoard"]

BINS = 64
"""Of a histogram."""


class TensorBoard:
    """One file in `folder`, or in the folder `name` below it. Raises `ImportError` where
    tensorboard is missing.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
        from torch.utils.tensorboard import summary

        self._event, self._all, self._writer = Event, Summary, RecordWriter
        self._parts: Any = summary
        file = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.upwell"
        self._file = folder / name / file

    def describe(self, told: Told, at: float) -> None:
        """A table below Text, and a row below HParams, which takes the figures from the curves."""
        rows = "".join(f"| {name} | {_cell(value)} |\n" for name, value in told.items())
        table = self._parts.text("run", f"| | |\n| --- | --- |\n{rows}")
        _, begun, _ = self._parts.hparams(dict(told), {})
        self._append(self._made(0, at, [table, begun]), at)

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        parts = [self._parts.scalar(name, value) for name, value in scalars.items()]
        parts += [
            self._parts.histogram(name, values, bins=BINS) for name, values in distributions.items()
        ]
        self._append(self._made(step, at, parts), at)

    def close(self, failed: bool = False) -> None:
        """Each time is on the disk, and nothing there says how a run ended."""

    def _made(self, step: int, at: float, parts: list[Any]) -> Any:
        found = self._all(value=[one for part in parts for one in part.value])
        return self._event(wall_time=at, step=step, summary=found)

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


def _cell(value: str | int | float) -> str:
    """In a table of Markdown."""
    return str(value).replace("|", "\\|").replace("\n", " ")
