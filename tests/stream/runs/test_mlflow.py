"""Curves in MLflow's database: by a double of its client, and by itself where it is installed."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from stream.runs.mlflow import DATABASE, MLflow
from tests.stream.runs.doubles import mlflow_double

NORMS = np.array([1.0, 2.0], np.float32)


def test_a_run_is_told_drawn_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = mlflow_double(monkeypatch)
    for name, failed in ("adapt-1", False), ("adapt-2", True):
        drawn = MLflow(tmp_path / "runs", name)
        drawn.describe({"steps": 20, "data": "a, b"}, 5.0)
        drawn.write(7, 6.0, {"loss": 0.5, "ndcg10/cold item, 2nd": 0.25}, {"norm": NORMS})
        drawn.close(failed)
    one, other = runs
    uri = f"sqlite:///{tmp_path / 'runs' / DATABASE}"
    assert one.made == {"uri": uri, "name": "adapt-1", "began": 5_000}
    assert one.told == {"steps": "20", "data": "a, b"}
    assert one.points == [("loss", 0.5, 7), ("ndcg10/cold item_ 2nd", 0.25, 7)]
    assert (one.ended, other.ended) == ("FINISHED", "FAILED")


def test_what_it_refuses_is_an_error_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow_double(monkeypatch)
    drawn = MLflow(tmp_path)
    with pytest.raises(OSError, match=r"mlflow\.db: ValueError: Invalid name"):
        drawn.write(1, 1.0, {"": 1.0}, {})


@pytest.mark.filterwarnings("ignore")  # of what it imports itself
def test_by_itself_it_keeps_runs_in_the_folder_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="pip install mlflow")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for name in "adapt-1", "adapt-2":
        drawn = MLflow(Path("runs"), name)
        drawn.describe({"steps": 20, "hardware": "2 x AMD EPYC (AVX2)"}, 5.0)
        drawn.write(7, 6.0, {f"ndcg10/model {n}, all": 0.25 for n in range(1_100)}, {"n": NORMS})
        drawn.write(8, 7.0, {"loss": 0.5}, {})
        drawn.close()
    assert (root.handlers, root.level, root.manager.disable) == (handlers, level, 0)
    assert capfd.readouterr() == ("", "")
    assert [one.name for one in tmp_path.iterdir()] == ["runs"]
    assert [one.name for one in (tmp_path / "runs").iterdir()] == [DATABASE]
    client = tracking.MlflowClient(f"sqlite:///{tmp_path / 'runs' / DATABASE}")
    number = client.get_experiment_by_name("upwell").experiment_id
    found = client.search_runs([number])
    assert {one.info.run_name for one in found} == {"adapt-1", "adapt-2"}
    assert {one.info.status for one in found} == {"FINISHED"}
    assert found[0].data.params == {"steps": "20", "hardware": "2 x AMD EPYC (AVX2)"}
    assert found[0].data.metrics["ndcg10/model 1099_ all"] == 0.25
    [loss] = client.get_metric_history(found[0].info.run_id, "loss")
    assert (loss.step, loss.value, loss.timestamp) == (8, 0.5, 7_000)


@pytest.mark.filterwarnings("ignore")  # of what it imports itself
def test_by_itself_a_database_that_is_none_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("mlflow.tracking", reason="pip install mlflow")
    (tmp_path / DATABASE).write_text("no database at all " * 100)
    with pytest.raises(OSError, match=r"mlflow\.db"):
        MLflow(tmp_path, "adapt-1").describe({"steps": 1}, 1.0)
