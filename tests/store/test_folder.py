"""One owner a folder, one dimension, room on the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.folder import StoreFolder
from upwell.errors import StoreError

HOLD = """
import sys
from pathlib import Path
from store.folder import StoreFolder
folder = StoreFolder(Path(sys.argv[1]), 4)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"in use by process {owner.pid}:"):
            StoreFolder(tmp_path, 4)
        owner.kill()
    StoreFolder(tmp_path, 4).close()


def test_the_same_process_is_an_owner_too(tmp_path: Path) -> None:
    with StoreFolder(tmp_path, 4), pytest.raises(StoreError, match=f"process {os.getpid()}"):
        StoreFolder(tmp_path, 4)
    StoreFolder(tmp_path, 4).close()


def test_another_dimension_is_refused_with_both_sizes(tmp_path: Path) -> None:
    StoreFolder(tmp_path, 384).close()
    with pytest.raises(
        StoreError, match=r"384 dimensions, but the encoder gives 768: use the encoder"
    ):
        StoreFolder(tmp_path, 768)
    StoreFolder(tmp_path, 384).close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        StoreFolder(tmp_path / "file" / "store", 4)


def test_a_full_disk_is_told_before_it_kills(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is full"):
        StoreFolder(tmp_path, 4, min_free_bytes=2**62)
    StoreFolder(tmp_path, 4).close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(StoreError, match="damaged"):
        StoreFolder(tmp_path, 4)
