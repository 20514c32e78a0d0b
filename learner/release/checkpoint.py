"""Checkpoints: everything learned as one file of arrays and one of JSON, written whole or not at
all. No pickle.

    models/
      0000000000000042-1b4f0e985197.safetensors   the arrays; the JSON of the rest is its metadata
      0000000000000042-1b4f0e985197.json          sha256 of the arrays' file; last, it counts

The name has the first digits of that sha256: a learner that lost its place while it wrote, on
another machine, overwrites nothing (docs/decisions/0028). Removed in the other order: arrays go
before the JSON file that points at them, so whatever dies in between, the next `prune` finds the
rest. It knows nothing about what the arrays mean, nor where the files are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save

from learner.release.folder import ModelsFolder
from upwell.errors import ModelError

__all__ = [
    "Checkpoint",
    "every",
    "holds",
    "latest",
    "load",
    "meta",
    "prune",
    "replaced",
    "save_checkpoint",
    "sweep",
]

FORMAT = "upwell-checkpoint-1"
HEAD, WEIGHTS = ".json", ".safetensors"
_TEMPORARY = ".tmp"
_ASKED = re.compile(r"\.(ask|answer)\.")
"""In the name of what somebody writes just now who asks the folder's owner something."""
_NAME = re.compile(r"(\d+)(-[0-9a-f]{12})?")
"""Older versions wrote the number alone."""
_REMEDY = "remove {} to go on from the checkpoint before"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """number: grows with each; name: of the JSON file; sha256: of the arrays' file."""

    number: int
    name: str
    sha256: str


def save_checkpoint(
    folder: ModelsFolder,
    arrays: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    confirm: Callable[[], None] = lambda: None,
) -> Checkpoint:
    """Write one more checkpoint. confirm: called before the file that makes it count; where it
    raises, there is none.

    A crash at any moment leaves the ones before as they were. Raises `ModelError`.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    data = save(contiguous, metadata={"format": FORMAT, "meta": json.dumps(meta)})
    digest = sha256(data).hexdigest()
    head = {"format": FORMAT, "sha256": digest, "bytes": len(data)}
    with _writing(folder):
        number = max((_number(stem) for stem in _stems(folder.names(), HEAD)), default=0) + 1
        stem = f"{number:016d}-{digest[:12]}"
        folder.write(stem + WEIGHTS, data)
    confirm()
    with _writing(folder):
        folder.write(stem + HEAD, json.dumps(head).encode())
    return Checkpoint(number, stem + HEAD, digest)


def load(
    folder: ModelsFolder, name: str, digest: str | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and meta of the checkpoint whose JSON file is `name`; `digest`: the sha256 that was
    announced for it, if any.

    Raises `ModelError` where it is missing, torn or another one.
    """
    weights = f"{folder.address}/{PurePath(name).stem}{WEIGHTS}"
    head = _head(folder, name)
    try:
        data = folder.read(PurePath(name).stem + WEIGHTS)
    except OSError as exc:
        raise ModelError(
            f"checkpoint {weights} cannot be read: {exc.strerror or exc}; {_REMEDY.format(name)}"
        ) from exc
    if digest is not None and head["sha256"] != digest:
        raise ModelError(
            f"checkpoint {folder.address}/{name} is not the one announced (sha256 "
            f"{digest[:12]}…): the models' folder belongs to another run"
        )
    if sha256(data).hexdigest() != head["sha256"]:
        raise ModelError(
            f"checkpoint {weights} is torn (its sha256 does not fit); {_REMEDY.format(name)}"
        )
    try:
        return load_arrays(data), json.loads(_metadata(data)["meta"])
    except (SafetensorError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(
            f"checkpoint {weights} cannot be read: {exc}; {_REMEDY.format(name)}"
        ) from exc


def meta(folder: ModelsFolder, name: str) -> dict[str, Any]:
    """What stands beside the arrays of the checkpoint whose JSON file is `name`; nothing is
    compared. Raises `ModelError` where it cannot be read.
    """
    weights = PurePath(name).stem + WEIGHTS
    try:
        found: dict[str, Any] = json.loads(_metadata(folder.read(weights))["meta"])
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(
            f"checkpoint {folder.address}/{weights} cannot be read: {exc}; {_REMEDY.format(name)}"
        ) from exc
    return found


def latest(folder: ModelsFolder) -> Checkpoint | None:
    """The newest checkpoint, None where there is none.

    Raises `ModelError` where it is torn: nothing is skipped in silence.
    """
    stems = _heads(folder)
    return _checkpoint(folder, stems[-1]) if stems else None


def every(folder: ModelsFolder) -> list[Checkpoint]:
    """All there are, newest first. Raises `ModelError` where one is torn."""
    found = [_if_there(folder, stem) for stem in reversed(_heads(folder))]
    return [one for one in found if one is not None]


def holds(folder: ModelsFolder, name: str, digest: str) -> bool:
    """Whether the checkpoint whose JSON file is `name` is there, and is that one. Raises
    `ModelError` where it is torn.
    """
    stem = name.removesuffix(HEAD)
    found = _if_there(folder, stem) if stem in _heads(folder) else None
    return found is not None and found.sha256 == digest


def replaced(folder: ModelsFolder, name: str) -> bool:
    """Whether a file of the checkpoint whose JSON file is `name` is gone, and a newer checkpoint is
    there: `prune` came between the announcement and who would load it. Raises `ModelError`.
    """
    stem = name.removesuffix(HEAD)
    with _listing(folder):
        names = folder.names()
    gone = not {stem + HEAD, stem + WEIGHTS} <= set(names)
    return gone and any(_number(one) > _number(stem) for one in _stems(names, HEAD))


def prune(folder: ModelsFolder, keep: int) -> int:
    """Remove all but the newest `keep` (at least 1), and what crashes left behind (`sweep`); how
    many were removed. When it returns, the removal lasts. Raises `ModelError`.
    """
    if keep < 1:
        raise ValueError(f"keep is {keep}: at least one checkpoint stays")
    old = _heads(folder)[:-keep]
    with _removing(folder):
        folder.remove([stem + kind for stem in old for kind in (WEIGHTS, HEAD)])
    return len(old) + sweep(folder)


def sweep(folder: ModelsFolder) -> int:
    """Remove what a crash left of a checkpoint that was being written or removed: arrays without
    their JSON file, a JSON file without its arrays (never the newest: there it is a fault, which
    `load` says), temporary files. How many checkpoints they were of. Raises `ModelError`.

    Nobody may write meanwhile.
    """
    with _removing(folder):
        names = folder.names()
        heads, arrays = set(_stems(names, HEAD)), set(_stems(names, WEIGHTS))
        newest = set(_sorted(heads)[-1:])
        orphans = (arrays - heads) | (heads - arrays - newest)
        files = [stem + kind for stem in orphans for kind in (WEIGHTS, HEAD)]
        left = [one for one in names if one.endswith(_TEMPORARY) and not _ASKED.search(one)]
        if gone := files + left:
            folder.remove(gone)
    return len(orphans)


@contextmanager
def _writing(folder: ModelsFolder) -> Iterator[None]:
    """Raises `ModelError`."""
    try:
        yield
    except OSError as exc:
        raise ModelError(
            f"checkpoint in {folder.address} cannot be written: {exc.strerror or exc}; free space "
            "there or set UPWELL_MODELS"
        ) from exc


@contextmanager
def _removing(folder: ModelsFolder) -> Iterator[None]:
    """Raises `ModelError`."""
    try:
        yield
    except OSError as exc:
        raise ModelError(
            f"old checkpoints in {folder.address} cannot be removed: {exc.strerror or exc}; make "
            "the folder writable"
        ) from exc


@contextmanager
def _listing(folder: ModelsFolder) -> Iterator[None]:
    """Raises `ModelError`."""
    try:
        yield
    except OSError as exc:
        raise ModelError(
            f"checkpoints in {folder.address} cannot be listed: {exc.strerror or exc}; is that "
            "UPWELL_MODELS, and may this machine read it?"
        ) from exc


def _stems(names: list[str], kind: str) -> list[str]:
    """Of the checkpoints' files of this kind."""
    found = [name.removesuffix(kind) for name in names if name.endswith(kind)]
    return [stem for stem in found if _NAME.fullmatch(stem)]


def _number(stem: str) -> int:
    return int(stem.partition("-")[0])


def _sorted(stems: set[str]) -> list[str]:
    return sorted(stems, key=lambda stem: (_number(stem), stem))


def _heads(folder: ModelsFolder) -> list[str]:
    """The stems of the JSON files, oldest first. Raises `ModelError`."""
    with _listing(folder):
        return _sorted(set(_stems(folder.names(), HEAD)))


def _checkpoint(folder: ModelsFolder, stem: str) -> Checkpoint:
    return Checkpoint(_number(stem), stem + HEAD, _head(folder, stem + HEAD)["sha256"])


def _if_there(folder: ModelsFolder, stem: str) -> Checkpoint | None:
    """None where `prune` has taken it since it was listed. Raises `ModelError`."""
    try:
        return _checkpoint(folder, stem)
    except ModelError:
        if replaced(folder, stem + HEAD):
            return None
        raise


def _metadata(data: bytes) -> dict[str, str]:
    """Of a file of arrays: eight bytes say how long the JSON before the arrays is."""
    return dict(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"])


def _head(folder: ModelsFolder, name: str) -> dict[str, Any]:
    """Raises `ModelError` where it is missing, torn or of another format."""
    where = f"{folder.address}/{name}"
    try:
        head = json.loads(folder.read(name).decode())
    except (OSError, ValueError) as exc:
        raise ModelError(
            f"checkpoint {where} cannot be read: {exc}; {_REMEDY.format(name)}"
        ) from exc
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = head.get("format") if isinstance(head, dict) else head
        raise ModelError(
            f"checkpoint {where} is of format {found!r}, not {FORMAT!r}: it was made by "
            "another version of Upwell"
        )
    if not isinstance(head.get("sha256"), str):
        raise ModelError(f"checkpoint {where} names no sha256; {_REMEDY.format(name)}")
    return head
