"""Files that are there whole or not at all, also after a power cut; where what can be had again is
kept.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "sync_folder", "write_first", "write_whole"]


def cache_folder() -> Path:
    """Where fetched or computed parts are kept, outside any project. Raises `RuntimeError` where
    the user has no home.
    """
    return Path(os.environ.get("UPWELL_CACHE") or Path.home() / ".cache" / "upwell").absolute()


def write_whole(path: Path, data: bytes) -> None:
    """Write under a temporary name (of this process, `.tmp`), bring it to the disk, then rename it
    to `path`. Raises `OSError`, and leaves nothing.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_first(path: Path, data: bytes) -> None:
    """Write it whole, for its owner alone, unless it is there: of several processes the first wins,
    and all then read the same. Raises `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def sync_folder(folder: Path) -> None:
    """Bring names that were made or removed in `folder` to the disk. Raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
