"""When a snapshot is due, which stay, and that one that fails ends nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream.ops.backup.schedule import due_in, keep_newest, scheduled, snapshot_once
from upwell.errors import SnapshotError

NAMES = ("upwell-20260101T000000Z", "upwell-20260101T060000Z", "upwell-20260101T120000Z")
LAST = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "manifest.json").write_text("{}")


def test_the_next_is_due_after_the_newest_whole_one(tmp_path: Path) -> None:
    assert due_in(tmp_path, 6.0, LAST) == 0.0
    make(tmp_path, *NAMES)
    (tmp_path / "upwell-20270101T000000Z").mkdir()  # without its manifest
    assert due_in(tmp_path, 6.0, LAST + 3_600) == 5 * 3_600
    assert due_in(tmp_path, 6.0, LAST + 7 * 3_600) == 0.0


def test_the_newest_stay_and_what_is_not_of_the_schedule(tmp_path: Path) -> None:
    make(tmp_path, *NAMES, "mine", "upwell-20260102T000000Z.partial")
    keep_newest(tmp_path, 2)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mine", *NAMES[1:]]


def test_one_that_fails_is_said_and_removes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path, *NAMES)

    def fail(folder: Path) -> None:
        raise SnapshotError("no room")

    snapshot_once(fail, tmp_path, 1)
    assert "no snapshot was taken: no room" in caplog.text
    assert sorted(one.name for one in tmp_path.iterdir()) == list(NAMES)


def test_the_first_is_taken_at_once_and_off_is_off(tmp_path: Path) -> None:
    taken = threading.Event()

    def take(folder: Path) -> None:
        make(folder.parent, folder.name)
        taken.set()

    with scheduled(take, None, 1.0, 1), scheduled(take, tmp_path, 0.0, 1):
        assert not taken.is_set()
    with scheduled(take, tmp_path, 1.0, 1):
        assert taken.wait(60)
    assert len(list(tmp_path.glob("upwell-*Z"))) == 1


def test_what_upwell_run_holds_for_it_is_neither_torch_nor_numba() -> None:
    code = (
        "import sys, stream.ops.backup.schedule; "
        "sys.exit(' '.join({'torch', 'numba'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
