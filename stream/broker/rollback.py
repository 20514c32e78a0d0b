"""How the learner that runs is asked to go back to an older version: by a file in its data folder,
which `stream.learn.rollback` looks for.
"""

from __future__ import annotations

from pathlib import Path

from upwell.errors import SnapshotError
from upwell.system.errands import ask

__all__ = ["ERRAND", "ask_learner"]

ERRAND = "rollback"


def ask_learner(home: Path, version: str, seconds: float) -> None:
    """Returns when learn has gone back. home: its data folder's `models`. One asks at a time.

    Raises `SnapshotError` where nobody answers, and with learn's own words where it cannot.
    """
    try:
        error = ask(home, ERRAND, {"version": version}, seconds)
    except (TimeoutError, OSError) as exc:
        raise SnapshotError(
            f"learn did not go back ({exc}): does it run on this data folder?"
        ) from exc
    if error is not None:
        raise SnapshotError(error)
