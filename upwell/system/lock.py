"""A lock on a folder or a download that ends with its holder, however that ends: the kernel's own,
on an open file.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

__all__ = ["holder", "lock", "try_lock"]


def try_lock(path: Path) -> int | None:
    """The open file that holds the lock until its last copy is closed; None while another has it.
    Raises `OSError`.

    The file names this process, for `holder`. A child that inherits the file holds the lock too.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def lock(path: Path) -> int:
    """As `try_lock`, but waits for its turn."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def holder(path: Path) -> int | None:
    """The living process that took the lock; None when it is gone, though what it started may still
    hold it.
    """
    try:
        pid = int(path.read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid
