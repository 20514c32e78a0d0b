"""The lock of a folder: one holder at a time, handed on to children, gone with the last of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from upwell.system.lock import holder, try_lock


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = try_lock(path)
    assert held is not None
    assert try_lock(path) is None
    assert holder(path) == os.getpid()
    os.close(held)
    again = try_lock(path)
    assert again is not None
    os.close(again)


def test_a_child_holds_on(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = try_lock(path)
    assert held is not None
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(held,)
    ) as child:
        os.close(held)
        assert try_lock(path) is None
        child.communicate(b"\n")
    free = try_lock(path)
    assert free is not None
    os.close(free)


def test_a_holder_that_is_gone_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path) is None
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    path.write_text(str(gone.pid))
    assert holder(path) is None
    path.write_text("torn")
    assert holder(path) is None
