"""Which code runs: the package's version, and the commit where it lies in a git."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["commit", "package_version"]

_SECONDS = 30.0


def package_version() -> str:
    """As it was installed; `unknown` where it was not."""
    try:
        return version("upwell")
    except PackageNotFoundError:
        return "unknown"


def commit(file: Path) -> str | None:
    """Of the git that tracks this file, with `-dirty` where what it tracks was changed; None where
    there is no git, or none that tracks it: an environment may lie in somebody's.
    """
    if not _git(file.parent, "ls-files", "--error-unmatch", file.name):
        return None
    return _git(file.parent, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *words: str) -> str | None:
    """What it says; None where it fails."""
    git = shutil.which("git")
    if git is None:
        return None
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [git, "--no-optional-locks", "-C", str(folder), *words],
            env=own,
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()
