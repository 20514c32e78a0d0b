"""A file is there whole or not at all, and nothing is left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upwell.system.files import cache_folder, sync_folder, write_first, write_whole


def test_it_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    for data in (b"first and longer", b"second"):
        write_whole(path, data)
        assert path.read_bytes() == data
    sync_folder(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_when_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.json"
    write_whole(path, b"first")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_stays_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "key"
    for data in (b"first", b"second"):
        write_first(path, data)
        assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_the_cache_is_the_users_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    for named in ("", None):
        monkeypatch.delenv("UPWELL_CACHE", raising=False)
        if named is not None:
            monkeypatch.setenv("UPWELL_CACHE", named)
        assert cache_folder() == Path("/home/ann/.cache/upwell")
    monkeypatch.setenv("UPWELL_CACHE", "/data/cache")
    assert cache_folder() == Path("/data/cache")
