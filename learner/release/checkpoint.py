"""Checkpoints: everything learned as one file of arrays and one of JSON, written whole or not at
all. No pickle.

    models/
      0000000000000042.safetensors      the arrays; the JSON of the rest is its metadata
      0000000000000042.json             version, sha256 of the arrays' file; written last, it counts

Removed in the other order: arrays go before the JSON file that points at them, so whatever dies in
between, the next `prune` finds the rest. It knows nothing about what the arrays mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from upwell.errors import ModelError
from upwell.system.files import sync_folder, write_whole

__all__ = ["Checkpoint", "every", "latest", "load", "prune", "save_checkpoint", "sweep"]

FORMAT = "upwell-checkpoint-1"
_TEMPORARY = ".tmp"
_REMEDY = "remove {} to go on from the checkpoint before"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """number: grows with each; path: of the JSON file; sha256: of the arrays' file."""

    number: int
    path: Path
    sha256: str


def save_checkpoint(
    folder: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
) -> Checkpoint:
    """Write one more checkpoint.

    A crash at any moment leaves the ones before as they were. Raises `ModelError`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = max((int(path.stem) for path in _heads(folder)), default=0) + 1
        stem = folder / f"{number:016d}"
        contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        data = save(contiguous, metadata={"format": FORMAT, "meta": json.dumps(meta)})
        digest = sha256(data).hexdigest()
        write_whole(stem.with_suffix(".safetensors"), data)
        head = {"format": FORMAT, "sha256": digest, "bytes": len(data)}
        write_whole(stem.with_suffix(".json"), json.dumps(head).encode())
        sync_folder(folder)
    except OSError as exc:
        raise ModelError(
            f"checkpoint in {folder} cannot be written: {exc.strerror or exc}; free space "
            "there or set UPWELL_DATA"
        ) from exc
    return Checkpoint(number, stem.with_suffix(".json"), digest)


def load(path: Path, digest: str | None = None) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and meta of the checkpoint whose JSON file is `path`; `digest`: the sha256 that was
    announced for it, if any.

    Raises `ModelError` where it is missing, torn or another one.
    """
    weights = path.with_suffix(".safetensors")
    head = _head(path)
    try:
        data = weights.read_bytes()
    except OSError as exc:
        raise ModelError(
            f"checkpoint {weights} cannot be read: {exc.strerror or exc}; "
            f"{_REMEDY.format(path.name)}"
        ) from exc
    if digest is not None and head["sha256"] != digest:
        raise ModelError(
            f"checkpoint {path} is not the one announced (sha256 {digest[:12]}…): the "
            "models' folder belongs to another run"
        )
    if sha256(data).hexdigest() != head["sha256"]:
        raise ModelError(
            f"checkpoint {weights} is torn (its sha256 does not fit); {_REMEDY.format(path.name)}"
        )
    try:
        with safe_open(weights, framework="numpy") as file:
            meta = json.loads(file.metadata()["meta"])
            return {name: file.get_tensor(name) for name in file.keys()}, meta  # noqa: SIM118 (no mapping)
    except (SafetensorError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(
            f"checkpoint {weights} cannot be read: {exc}; {_REMEDY.format(path.name)}"
        ) from exc


def latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint, None where there is none.

    Raises `ModelError` where it is torn: nothing is skipped in silence.
    """
    paths = _heads(folder)
    return _checkpoint(paths[-1]) if paths else None


def every(folder: Path) -> list[Checkpoint]:
    """All there are, newest first. Raises `ModelError` where one is torn."""
    return [_checkpoint(path) for path in reversed(_heads(folder))]


def prune(folder: Path, keep: int) -> int:
    """Remove all but the newest `keep` (at least 1), and what crashes left behind (`sweep`); how
    many were removed. When it returns, the removal has reached the disk. Raises `ModelError`.
    """
    if keep < 1:
        raise ValueError(f"keep is {keep}: at least one checkpoint stays")
    old = _heads(folder)[:-keep]
    with _removing(folder):
        for path in old:
            path.with_suffix(".safetensors").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    return len(old) + sweep(folder)


def sweep(folder: Path) -> int:
    """Remove what a crash left of a checkpoint that was being written or removed: arrays without
    their JSON file, a JSON file without its arrays (never the newest: there it is a fault, which
    `load` says), temporary files. How many checkpoints they were of. Raises `ModelError`.
    """
    heads = {path.stem for path in _heads(folder)}
    arrays = {path.stem for path in folder.glob("*.safetensors") if path.stem.isdecimal()}
    newest = max(heads, key=int, default="")
    orphans = (arrays - heads) | (heads - arrays - {newest})
    with _removing(folder):
        for stem in orphans:
            (folder / f"{stem}.safetensors").unlink(missing_ok=True)
            (folder / f"{stem}.json").unlink(missing_ok=True)
        for path in folder.glob(f"*{_TEMPORARY}"):
            path.unlink(missing_ok=True)
    return len(orphans)


@contextmanager
def _removing(folder: Path) -> Iterator[None]:
    """Files are removed within; at its end that has reached the disk. Raises `ModelError`."""
    try:
        yield
        if folder.is_dir():
            sync_folder(folder)
    except OSError as exc:
        raise ModelError(
            f"old checkpoints in {folder} cannot be removed: {exc.strerror or exc}; make "
            "the folder writable"
        ) from exc


def _heads(folder: Path) -> list[Path]:
    """The JSON files, oldest first."""
    return sorted(
        (path for path in folder.glob("*.json") if path.stem.isdecimal()),
        key=lambda path: int(path.stem),
    )


def _checkpoint(path: Path) -> Checkpoint:
    return Checkpoint(int(path.stem), path, _head(path)["sha256"])


def _head(path: Path) -> dict[str, Any]:
    """Raises `ModelError` where it is missing, torn or of another format."""
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ModelError(
            f"checkpoint {path} cannot be read: {exc}; {_REMEDY.format(path.name)}"
        ) from exc
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = head.get("format") if isinstance(head, dict) else head
        raise ModelError(
            f"checkpoint {path} is of format {found!r}, not {FORMAT!r}: it was made by "
            "another version of Upwell"
        )
    if not isinstance(head.get("sha256"), str):
        raise ModelError(f"checkpoint {path} names no sha256; {_REMEDY.format(path.name)}")
    return head
