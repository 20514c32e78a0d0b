"""Curves out, and back from the files by TensorBoard's own reader."""

from __future__ import annotations

from errno import ENOSPC
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.util.tensor_util import make_ndarray

from stream.runs.tensorboard import TensorBoard
from tests.stream.runs.read import scalars_of, told_of

VALUES = np.array([0.0, 1.0, 1.0, 4.0], np.float32)


def events(folder: Path) -> list[Any]:
    """Of the one file that is there."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    (file,) = folder.iterdir()
    return list(EventFileLoader(str(file)).Load())


def scalars(event: Any) -> dict[str, float]:
    return {one.tag: one.tensor.float_val[0] for one in event.summary.value if one.tensor.float_val}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    drawn = TensorBoard(tmp_path / "new" / "run")
    drawn.write(100, 5.0, {"loss/main": 0.5, "ndcg10/model/all": 0.25}, {"norm": VALUES})
    drawn.write(200, 6.0, {"loss/main": 0.125}, {})
    drawn.close()
    head, first, second = events(tmp_path / "new" / "run")
    assert head.file_version == "brain.Event:2"
    assert (first.step, first.wall_time) == (100, 5.0)
    assert scalars(first) == {"loss/main": 0.5, "ndcg10/model/all": 0.25}
    assert (second.step, scalars(second)) == (200, {"loss/main": 0.125})
    (histogram,) = [one for one in first.summary.value if one.tag == "norm"]
    buckets = make_ndarray(histogram.tensor)  # (n, 3): left, right, count
    assert buckets[:, 2].sum() == len(VALUES)
    assert (buckets[0, 0], buckets[-1, 1]) == (0.0, 4.0)


def test_a_disk_that_is_full_leaves_no_torn_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = TensorBoard(tmp_path)
    drawn.write(1, 1.0, {"loss": 1.0}, {})

    class Full(FileIO):
        def write(self, record: Any) -> int:
            return super().write(record[: len(record) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode, buffering: Full(path, mode))
        with pytest.raises(OSError, match="No space left") as caught:
            drawn.write(2, 2.0, {"loss": 2.0}, {})
    assert caught.value.errno == ENOSPC
    drawn.write(3, 3.0, {"loss": 3.0}, {})
    _, *found = events(tmp_path)
    assert [one.step for one in found] == [1, 3]


def test_a_folder_that_is_none_is_an_error_and_one_that_was_removed_is_made_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        TensorBoard(tmp_path / "file").write(1, 1.0, {"loss": 1.0}, {})
    drawn = TensorBoard(tmp_path / "run")
    drawn.write(1, 1.0, {"loss": 1.0}, {})
    next((tmp_path / "run").iterdir()).unlink()
    (tmp_path / "run").rmdir()
    drawn.write(2, 2.0, {"loss": 1.0}, {})
    assert [one.step for one in events(tmp_path / "run")] == [0, 2]


def test_what_is_told_of_a_run_stands_below_hparams_and_text(tmp_path: Path) -> None:
    drawn = TensorBoard(tmp_path, "adapt-1")
    drawn.describe({"steps": 20, "rate": 0.5, "log": "a|b"}, 5.0)
    drawn.write(7, 6.0, {"loss": 0.5}, {})
    drawn.close(failed=True)
    assert told_of(tmp_path / "adapt-1") == {"steps": 20.0, "rate": 0.5, "log": "a|b"}
    assert scalars_of(tmp_path / "adapt-1") == {"loss": [(7, 0.5)]}
    _, told, _ = events(tmp_path / "adapt-1")
    [table] = [one.tensor for one in told.summary.value if one.tag == "run/text_summary"]
    rows = make_ndarray(table).item().decode().splitlines()
    assert rows == ["| | |", "| --- | --- |", "| steps | 20 |", "| rate | 0.5 |", "| log | a\\|b |"]
