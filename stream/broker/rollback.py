"""How the learner that runs is asked to go back to an older version, or to begin afresh: by a file
in its data folder, which `stream.learn` looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from upwell.errors import SnapshotError
from upwell.system.errands import ask

__all__ = ["AFRESH", "ERRAND", "ask_afresh", "ask_learner"]

ERRAND, AFRESH = "rollback", "relearn"


def ask_learner(home: Path, version: str, seconds: float) -> None:
    """Returns when learn has gone back. home: its data folder's `models`. One asks at a time.

    Raises `SnapshotError` where nobody answers, and with learn's own words where it cannot.
    """
    _ask(home, ERRAND, {"version": version}, seconds, "did not go back")


def ask_afresh(home: Path, reach: float, seconds: float) -> None:
    """Returns when learn has heard it. reach: the share of what was learned that `examples` must
    still hold. Raises as `ask_learner`.
    """
    _ask(home, AFRESH, {"reach": reach}, seconds, "does not begin afresh")


def _ask(home: Path, errand: str, asked: Mapping[str, Any], seconds: float, what: str) -> None:
    try:
        error = ask(home, errand, asked, seconds)
    except (TimeoutError, OSError) as exc:
        raise SnapshotError(f"learn {what} ({exc}): does it run on this data folder?") from exc
    if error is not None:
        raise SnapshotError(error)
