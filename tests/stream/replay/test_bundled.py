"""The log that comes with Upwell: found in a checkout, the package's own first, and said where it
is missing.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import upwell
from stream.replay.bundled import bundled_log
from upwell.errors import LogError

NAME = Path("data", "movielens", "events.jsonl.gz")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the package `upwell` seems to be."""
    folder = tmp_path / "site" / "upwell"
    folder.mkdir(parents=True)
    monkeypatch.setattr(upwell, "__file__", str(folder / "__init__.py"))
    return folder


def put(folder: Path) -> Path:
    (folder / NAME).parent.mkdir(parents=True)
    (folder / NAME).touch()
    return folder / NAME


def test_a_checkout_has_it() -> None:
    with gzip.open(bundled_log()) as log:
        assert log.readline().startswith(b"{")


def test_an_installed_package_takes_its_own(package: Path) -> None:
    beside = put(package.parent)
    assert bundled_log() == beside
    own = put(package)
    assert bundled_log() == own


def test_where_there_is_none_the_way_out_is_said(package: Path) -> None:
    (package / NAME).mkdir(parents=True)  # a folder is no log
    with pytest.raises(LogError, match="--log") as error:
        bundled_log()
    assert str(package / NAME) in str(error.value)
