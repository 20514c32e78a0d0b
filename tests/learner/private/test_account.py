"""The account beside the checkpoints: it only grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from learner.private.account import ACCOUNT, read_account, write_account
from learner.release.checkpoint import prune, save_checkpoint
from learner.release.folder import LocalFolder
from upwell.errors import ModelError


def test_nothing_is_taken_back(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "models")
    assert read_account(folder) == {}
    write_account(folder, {0: 5})
    write_account(folder, {0: 3})
    assert read_account(folder) == {0: 5}
    write_account(folder, {1: 2})
    assert read_account(folder) == {0: 5, 1: 2}


def test_checkpoints_that_go_leave_it_there(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    write_account(folder, {0: 5})
    for _ in range(3):
        save_checkpoint(folder, {}, {})
    prune(folder, keep=1)
    assert read_account(folder) == {0: 5}


@pytest.mark.parametrize("torn", [b"", b"{}", b"[1]", b'{"format": "other", "epochs": {}}'])
def test_a_torn_one_is_no_empty_one(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / ACCOUNT).write_bytes(torn)
    with pytest.raises(ModelError, match=r"private\.account of what was spent cannot be read"):
        read_account(LocalFolder(tmp_path))
