"""Runs a command for as long as whoever started it lives: standard input is a pipe that the parent
holds, its end ends the command.

    python guardian.py GRACE_SECONDS ANNOUNCEMENT COMMAND …

So a broker never outlives a crashed or killed parent. SIGTERM ends the command too. Its exit code
is passed on; the file ANNOUNCEMENT (empty: none), which says that the command runs, is removed at
its end. Only the standard library: it starts in milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["main"]

PR_SET_PDEATHSIG = 1
"""linux/prctl.h: the signal that a process gets when its parent dies."""


def main(arguments: list[str]) -> int:
    """arguments: seconds between asking and killing, the announcement, then the command."""
    grace, announcement, command = float(arguments[0]), arguments[1], arguments[2:]
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    follow = _follower()
    # close_fds=False hands on the folder's lock: it is held for as long as the command itself
    # lives, not only its guardian.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=follow
    )
    threading.Thread(target=_await_end_of_parent, args=(asked,), daemon=True).start()
    threading.Thread(target=_end, args=(process, asked, grace), daemon=True).start()
    try:
        code = process.wait()
    finally:
        if announcement:
            Path(announcement).unlink(missing_ok=True)
    return code if code >= 0 else 128 - code


def _follower() -> Callable[[], Any] | None:
    """What the child does before it becomes the command: on Linux, ask to be ended when even this
    process is killed.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _await_end_of_parent(asked: threading.Event) -> None:
    """Standard input that cannot be read is no parent either: an error ends the command too. It is
    not printed: a thread that does so while the interpreter ends aborts the process.
    """
    try:
        while os.read(0, 1024):  # not sys.stdin, whose lock would hang the interpreter's end
            pass
    except OSError:
        pass
    asked.set()


def _end(process: subprocess.Popen[bytes], asked: threading.Event, grace: float) -> None:
    asked.wait()
    process.terminate()
    try:
        process.wait(grace)
    except (subprocess.TimeoutExpired, OSError):
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
