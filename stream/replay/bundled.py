"""Where the MovieLens log is that comes with Upwell: in the package where a wheel was installed, in
`data/` of a checkout.
"""

from __future__ import annotations

from pathlib import Path

import upwell
from upwell.errors import LogError

__all__ = ["bundled_log"]

_NAME = Path("data", "movielens", "events.jsonl.gz")


def bundled_log() -> Path:
    """Raises `LogError` where neither has it."""
    package = Path(upwell.__file__).parent
    for folder in (package, package.parent):
        if (folder / _NAME).is_file():
            return folder / _NAME
    raise LogError(f"the MovieLens log is not in {package / _NAME}: name a log with --log")
