"""Tracked runs, read back by TensorBoard's own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["only", "scalars_of", "told_of"]


def only(folder: Path) -> Path:
    """What is in the folder, which is one thing."""
    [found] = folder.iterdir()
    return found


def _read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of each point, by name."""
    found = _read(folder)
    return {
        tag: [(point.step, point.value) for point in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def told_of(folder: Path) -> dict[str, str | float]:
    """As the page HParams has it."""
    from tensorboard.plugins.hparams import metadata

    begun = _read(folder).SummaryMetadata(metadata.SESSION_START_INFO_TAG)
    told = metadata.parse_session_start_info_plugin_data(begun.plugin_data.content).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in told.items()}
