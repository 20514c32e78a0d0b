"""A checkpoint that is copied while others come and go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.ops.backup.checkpoints import copy_checkpoint
from upwell.errors import ModelError


class Pruned(LocalFolder):
    """Whose owner goes on to the next checkpoint in the midst of the first reading."""

    went_on = False

    def read(self, name: str) -> bytes:
        if not self.went_on:
            self.went_on = True
            checkpoint.save_checkpoint(self, {"x": np.ones(2)}, {"version": "2"})
            checkpoint.prune(self, keep=1)
        return super().read(name)


def saved(folder: LocalFolder) -> LocalFolder:
    checkpoint.save_checkpoint(folder, {"x": np.zeros(2)}, {"version": "1"})
    return folder


def test_the_newest_is_copied_and_of_none_nothing(tmp_path: Path) -> None:
    source, target = saved(LocalFolder(tmp_path / "a")), LocalFolder(tmp_path / "b")
    assert copy_checkpoint(source, target) == {"version": "1"}
    assert sorted(target.names()) == sorted(source.names())
    assert copy_checkpoint(LocalFolder(tmp_path / "c"), LocalFolder(tmp_path / "d")) == {}


def test_one_that_is_removed_meanwhile_makes_way_for_the_next(tmp_path: Path) -> None:
    source, target = Pruned(tmp_path / "a"), LocalFolder(tmp_path / "b")
    saved(source)
    assert copy_checkpoint(source, target) == {"version": "2"}
    assert len(target.names()) == 2


def test_a_torn_one_is_said(tmp_path: Path) -> None:
    source = saved(LocalFolder(tmp_path / "a"))
    (weights,) = (tmp_path / "a").glob("*.safetensors")
    weights.write_bytes(b"torn")
    with pytest.raises(ModelError):
        copy_checkpoint(source, LocalFolder(tmp_path / "b"))
