"""Whether the folders are Upwell's own, in a checkout; of an installed wheel see
tests/test_packaging.py.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from upwell.errors import InstallationError
from upwell.system import installation
from upwell.system.installation import FOLDERS, check_installation

ROOT = Path(__file__).parents[3]


def test_a_checkout_is_its_own() -> None:
    check_installation()
    assert all((ROOT / name / "__init__.py").is_file() for name in FOLDERS)


@pytest.mark.parametrize("kind", ["folder", "module"])
@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_found_before_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    other = tmp_path / name if kind == "folder" else tmp_path / f"{name}.py"
    if kind == "folder":
        other.mkdir()
    (other / "__init__.py" if kind == "folder" else other).touch()
    find = PathFinder.find_spec
    paths = [str(tmp_path), *sys.path]
    monkeypatch.setattr(installation, "find_spec", lambda asked: find(asked, paths))
    with pytest.raises(InstallationError, match=f"`import {name}` finds {other}, not Upwell's"):
        check_installation()


def test_a_folder_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "find_spec", lambda _: None)
    with pytest.raises(InstallationError, match="folder gateway is not installed"):
        check_installation()
