"""Each writer that a name gives, by what all promise; and names whose package is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream.runs.kinds import curves, require
from tests.stream.runs.doubles import mlflow_double, wandb_double
from upwell.errors import SettingsError

GET = {
    "tensorboard": r"pip install 'upwell\[track\]'",
    "mlflow": "pip install mlflow",
    "wandb": "pip install wandb",
}
IMPORTED = {
    "tensorboard": "tensorboard.compat.proto.event_pb2",
    "mlflow": "mlflow.tracking",
    "wandb": "wandb",
}


@pytest.mark.parametrize("kind", GET)
def test_a_folder_that_cannot_be_one_is_an_error_at_each_call_and_none_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mlflow_double(monkeypatch)
    wandb_double(monkeypatch)
    (tmp_path / "file").write_text("")
    drawn = curves(f"{kind}:{tmp_path / 'file' / 'runs'}", "adapt-1")
    with pytest.raises(OSError, match="file"):
        drawn.describe({"steps": 1}, 1.0)
    with pytest.raises(OSError, match="file"):
        drawn.write(1, 1.0, {"loss": 1.0}, {})
    drawn.close()
    drawn.close(failed=True)


@pytest.mark.parametrize("kind", GET)
def test_a_missing_package_is_named_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mlflow_double(monkeypatch)
    monkeypatch.setitem(sys.modules, IMPORTED[kind], None)
    with pytest.raises(SettingsError, match=f"UPWELL_TRACK is {kind}:.*{GET[kind]}"):
        curves(f"{kind}:{tmp_path}")


@pytest.mark.parametrize("kind", GET)
def test_it_is_asked_for_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.delitem(sys.modules, kind, raising=False)
    (tmp_path / "there" / kind).mkdir(parents=True)
    (tmp_path / "there" / kind / "__init__.py").write_text("raise AssertionError\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "there")])
    require(f"{kind}:runs")
    (tmp_path / "folder" / kind).mkdir(parents=True)  # wandb makes one of its name
    for path in "folder", "nothing":
        monkeypatch.setattr(sys, "path", [str(tmp_path / path)])
        with pytest.raises(SettingsError, match=f"it needs {kind}, {GET[kind]}"):
            require(f"{kind}:runs")
