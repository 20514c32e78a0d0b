"""Folders copied with a sha256 of each file, and checked by it. It knows nothing about what the
files are.

FOLDER/manifest.json      what it is of, every file's bytes and sha256; written last, it counts
FOLDER/…                  the files
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from learner.release.folder import ModelsFolder
from stream.replay.progress import Moved, unwatched
from upwell.errors import SnapshotError

__all__ = ["copy_files", "copy_models", "digests", "read_manifest", "write_manifest"]

MANIFEST = "manifest.json"
FORMAT = "upwell-snapshot-1"
CHUNK = 1 << 20


def copy_files(
    source: Path,
    target: Path,
    parts: Iterable[str],
    leave: frozenset[str],
    moved: Moved = unwatched,
) -> dict[str, str]:
    """Copies files and folders `parts` of `source`, but files named in `leave`; path below the
    folders -> sha256. moved: is told of megabytes.

    Raises `SnapshotError`.
    """
    try:
        names = [
            name
            for part in parts
            for name in _files(source, source / part)
            if Path(name).name not in leave
        ]
        sizes = [(source / name).stat().st_size for name in names]
        done, copied = 0, {}
        for name, size in zip(names, sizes, strict=True):
            copied[name] = _copy(source / name, target / name)
            done += size
            moved("MB copied", done >> 20, sum(sizes) >> 20)
        return copied
    except OSError as exc:
        raise SnapshotError(
            f"{source} cannot be copied to {target}: {exc.strerror}: {exc.filename}; make "
            "room, or name another"
        ) from exc


def copy_models(source: ModelsFolder, target: ModelsFolder) -> dict[str, str]:
    """Copies all checkpoints, each JSON file after its arrays; `models/` and the name -> sha256.

    Raises `SnapshotError`.
    """
    found = {}
    try:
        # as a checkpoint is written: arrays before what makes them count
        for name in sorted(source.names(), key=lambda one: (Path(one).suffix == ".json", one)):
            if Path(name).suffix in (".json", ".safetensors"):
                data = source.read(name)
                target.write(name, data)
                found[f"models/{name}"] = sha256(data).hexdigest()
    except OSError as exc:
        raise SnapshotError(
            f"{source.address} cannot be copied to {target.address}: {exc}; make room, or name "
            "another"
        ) from exc
    return found


def digests(folder: Path) -> dict[str, str]:
    """Of all files that lie in `folder`, once they are on the disk; path below it -> sha256. Raises
    `SnapshotError`.
    """
    try:
        for name in (names := list(_files(folder, folder))):
            with (folder / name).open("rb") as file:
                os.fsync(file.fileno())
        return {name: _digest(folder / name) for name in names}
    except OSError as exc:
        raise SnapshotError(f"{folder} cannot be read: {exc.strerror}: {exc.filename}") from exc


def write_manifest(folder: Path, about: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """The last file of a snapshot. Raises `SnapshotError`."""
    try:
        with (folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, **about, "files": dict(files)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise SnapshotError(
            f"snapshot {folder} cannot be written: {exc.strerror}; make room, or name "
            "another folder"
        ) from exc


def read_manifest(folder: Path, moved: Moved = unwatched) -> dict[str, Any]:
    """What the snapshot is of, after each of its files was read and found whole. moved: is told of
    them.

    Raises `SnapshotError` naming the one that is not.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise SnapshotError(
            f"{folder} is no whole snapshot: {MANIFEST} cannot be read ({exc}); take another one"
        ) from exc
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise SnapshotError(f"{folder} is no snapshot of this version of Upwell ({FORMAT})")
    for number, (name, expected) in enumerate(manifest["files"].items(), 1):
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise SnapshotError(
                f"snapshot {folder} names the file {name!r:.80}, which is outside of it: do "
                "not use it"
            )
        try:
            found = _digest(folder / name)
        except OSError as exc:
            raise SnapshotError(
                f"snapshot {folder}: {name} cannot be read ({exc.strerror}); use another snapshot"
            ) from exc
        if found != expected:
            raise SnapshotError(
                f"snapshot {folder}: {name} is torn (its sha256 does not fit); use another snapshot"
            )
        moved("files checked", number, len(manifest["files"]))
    return manifest


def _files(base: Path, path: Path) -> Iterator[str]:
    if path.is_file():
        yield path.relative_to(base).as_posix()
    for below in sorted(path.rglob("*")) if path.is_dir() else ():
        if below.is_file():
            yield below.relative_to(base).as_posix()


def _copy(source: Path, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return _digest(target)


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
