"""Files in a git, in none, and in one that does not track them."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from stream.runs.code import commit, package_version


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *own, "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of a checkout with one commit, and a tag on it."""
    (tmp_path / "pkg").mkdir()
    found = tmp_path / "pkg" / "code.py"
    found.write_text("1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "pkg")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    git(tmp_path, "tag", "-a", "v1", "-m", "v1")
    return found


def test_the_commit_is_whole_and_marked_where_a_tracked_file_was_changed(file: Path) -> None:
    head = git(file.parent, "rev-parse", "HEAD")
    assert re.fullmatch("[0-9a-f]{40}", head)
    assert commit(file) == head
    (file.parent / "new.py").write_text("not tracked\n")
    assert commit(file) == head
    file.write_text("2\n")
    assert commit(file) == f"{head}-dirty"


def test_a_file_that_the_git_around_it_does_not_track_is_of_none(file: Path) -> None:
    installed = file.parent / ".venv" / "code.py"
    installed.parent.mkdir()
    installed.write_text("1\n")
    assert commit(installed) is None


def test_without_a_git_there_is_none(
    file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path_factory.mktemp("alone") / "code.py"
    alone.write_text("1\n")
    assert commit(alone) is None
    monkeypatch.setenv("PATH", str(alone.parent))
    assert commit(file) is None


def test_the_git_of_a_hook_that_calls_is_not_asked(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert commit(file) is not None


def test_the_version_is_the_distributions() -> None:
    assert package_version() == version("upwell")
