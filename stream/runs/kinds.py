"""Which writers there are, by their name in `UPWELL_TRACK`, and how to get what each needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stream.runs.mlflow import MLflow
from stream.runs.port import Curves
from stream.runs.tensorboard import TensorBoard
from stream.runs.wandb import WeightsAndBiases
from upwell.errors import SettingsError

__all__ = ["curves", "require"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """make: from a folder and a run's name, which may be empty. get: the package."""

    make: Callable[[Path, str], Curves]
    get: str


_KINDS: Mapping[str, _Kind] = {
    "tensorboard": _Kind(TensorBoard, "pip install 'upwell[track]'"),
    "mlflow": _Kind(MLflow, "pip install mlflow"),
    "wandb": _Kind(WeightsAndBiases, "pip install wandb"),
}


def require(to: str) -> None:
    """Raises `SettingsError` where the package is missing: before a run, not after hours of it.
    Nothing is imported. to: as `UPWELL_TRACK`.
    """
    name, _, _ = to.partition(":")
    found = find_spec(name)
    if found is None or found.origin is None:  # a folder of its name, such as wandb's own, is none
        raise _missing(to, name)


def curves(to: str, name: str = "") -> Curves:
    """to: as `UPWELL_TRACK`. name: of the run; without one it is the folder's only one. Raises
    `SettingsError` where its package is missing.
    """
    kind, _, folder = to.partition(":")
    try:
        return _KINDS[kind].make(Path(folder), name)
    except ImportError as exc:
        raise _missing(to, exc.name or kind) from exc


def _missing(to: str, package: str) -> SettingsError:
    get = _KINDS[to.partition(":")[0]].get
    return SettingsError(f"UPWELL_TRACK is {to}: it needs {package}, {get}")
