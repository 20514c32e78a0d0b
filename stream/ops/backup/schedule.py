"""Snapshots of the running engine by the clock, of which the newest few are kept. A snapshot that
fails is said and tried again when the next is due; the engine goes on.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stream.ops.snapshot import snapshot
from upwell.errors import UpwellError
from upwell.settings import Settings
from upwell.system.threads import start_thread

__all__ = ["due_in", "keep_newest", "scheduled", "scheduled_snapshots"]

NAME = "upwell-%Y%m%dT%H%M%SZ"
MANIFEST = "manifest.json"

log = logging.getLogger("upwell.snapshot")


def scheduled_snapshots(
    settings: Settings, say: Callable[[str], None]
) -> AbstractContextManager[None]:
    """As the settings want them."""
    return scheduled(
        lambda folder: snapshot(settings, folder, say),
        settings.snapshot_folder,
        settings.snapshot_every,
        settings.snapshot_keep,
    )


@contextmanager
def scheduled(
    take: Callable[[Path], object], folder: Path | None, hours: float, keep: int
) -> Iterator[None]:
    """While it is open `take` makes a new folder below `folder` each so many hours, counted from
    the newest there. Off where there is no folder, or hours are 0.
    """
    if folder is None or hours == 0:
        yield
        return
    stop = threading.Event()

    def run() -> None:
        wait = due_in(folder, hours, time.time())
        while not stop.wait(wait):
            snapshot_once(take, folder, keep)
            wait = 3_600 * hours

    thread = start_thread("snapshots", run)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def snapshot_once(take: Callable[[Path], object], folder: Path, keep: int) -> None:
    """One more; of all, the newest `keep` stay."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        take(folder / datetime.now(UTC).strftime(NAME))
        keep_newest(folder, keep)
    except (UpwellError, OSError) as exc:
        log.warning("no snapshot was taken: %s", exc)


def due_in(folder: Path, hours: float, now_s: float) -> float:
    """Seconds until the next, 0 where there is none yet. now_s: UTC seconds."""
    newest = max((_made(one) for one in whole(folder)), default=None)
    return 0.0 if newest is None else max(newest + 3_600 * hours - now_s, 0.0)


def keep_newest(folder: Path, keep: int) -> None:
    """Removes older snapshots of the schedule, and parts of its unfinished ones; nothing else.
    Raises `OSError`.
    """
    for old in whole(folder)[:-keep]:
        (old / MANIFEST).unlink()  # first: what is half removed is no snapshot
        shutil.rmtree(old)
    for part in folder.glob("upwell-*Z.partial"):
        shutil.rmtree(part)


def whole(folder: Path) -> list[Path]:
    """The schedule's snapshots that are whole, oldest first."""
    return sorted(one for one in folder.glob("upwell-*Z") if (one / MANIFEST).exists())


def _made(snapshot: Path) -> float:
    return datetime.strptime(snapshot.name, NAME).replace(tzinfo=UTC).timestamp()
