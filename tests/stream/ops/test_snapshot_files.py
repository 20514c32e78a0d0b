"""A snapshot is whole or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.ops.snapshot_files import copy_files, read_manifest, write_manifest
from upwell.errors import SnapshotError


def taken(tmp_path: Path) -> Path:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "models" / "deep").mkdir(parents=True)
    (source / "models" / "deep" / "a.bin").write_bytes(bytes(3_000_000))
    (source / "models" / "owner.lock").write_text("1")
    (source / "key").write_text("k")
    files = copy_files(source, target, ("models", "key", "absent"), frozenset({"owner.lock"}))
    write_manifest(target, {"prefix": "upwell."}, files)
    return target


def test_what_was_copied_reads_back(tmp_path: Path) -> None:
    manifest = read_manifest(taken(tmp_path))
    assert sorted(manifest["files"]) == ["key", "models/deep/a.bin"]
    assert manifest["prefix"] == "upwell."


@pytest.mark.parametrize("name", ["key", "models/deep/a.bin"])
def test_a_torn_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = taken(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"x")
    with pytest.raises(SnapshotError, match=f"{name} is torn"):
        read_manifest(folder)
    (folder / name).unlink()
    with pytest.raises(SnapshotError, match=f"{name} cannot be read"):
        read_manifest(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "another"}'])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    folder = taken(tmp_path)
    (folder / "manifest.json").write_text(text)
    with pytest.raises(SnapshotError, match=r"no whole snapshot|no snapshot of this version"):
        read_manifest(folder)


def test_no_file_outside_of_the_folder_is_touched(tmp_path: Path) -> None:
    folder = taken(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../source/key"] = manifest["files"]["key"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SnapshotError, match="outside of it"):
        read_manifest(folder)


def test_a_disk_that_does_not_let_us_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "key").write_text("k")
    with pytest.raises(SnapshotError, match="make room, or name another"):
        copy_files(tmp_path, tmp_path / "file" / "below", ("key",), frozenset())
