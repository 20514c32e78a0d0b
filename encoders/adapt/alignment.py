"""A rotation of one encoder's vectors to where another one's stand for the same texts.

A rotation keeps every inner product, so what is near stays as near, and a user's intent or a weight
that was learned on the other's vectors still points to what it meant. It lies beside the weights.
Schönemann (1966), A generalized solution of the orthogonal Procrustes problem, Psychometrika 31.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from upwell.errors import EncoderError
from upwell.system.files import write_whole
from upwell.values import Vector

__all__ = [
    "FILE",
    "Alignment",
    "aligned_revision",
    "fitted",
    "likeness",
    "read_alignment",
    "write_alignment",
]

FILE = "alignment.safetensors"
_NAME = "rotation"
_TOLERANCE = 1e-4
_STAY = 0.01
"""Of what a direction has on average, so much speaks for leaving each where it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """rotation: (d, d) float32, orthogonal. Raises `EncoderError` where it is none."""

    rotation: Vector

    def __post_init__(self) -> None:
        shape = self.rotation.shape
        if len(shape) != 2 or shape[0] != shape[1] or self.rotation.dtype != np.float32:
            raise EncoderError(f"an alignment of shape {shape} is no rotation: remove {FILE}")
        off = self.rotation @ self.rotation.T - np.eye(shape[0], dtype=np.float32)
        if not float(np.abs(off).max(initial=0.0)) < _TOLERANCE:  # also where it is not finite
            raise EncoderError(f"an alignment that is no rotation: remove {FILE}")

    @property
    def digest(self) -> str:
        """8 hexadecimal digits of it, part of the revision."""
        return blake2b(self.rotation.astype("<f4").tobytes(), digest_size=4).hexdigest()

    def turned(self, vectors: Vector) -> Vector:
        """(n, d) to (n, d). Each by itself, so that a vector has the same bits whatever it came
        with.
        """
        if not len(vectors):
            return vectors
        return np.stack([vector @ self.rotation for vector in vectors])


def aligned_revision(revision: str, alignment: Alignment | None) -> str:
    """`name@digest/pooling/precision` with the rotation beside the pooling."""
    if alignment is None:
        return revision
    vectors, _, precision = revision.rpartition("/")
    return f"{vectors}+{alignment.digest}/{precision}"


def fitted(own: Vector, other: Vector) -> Alignment:
    """That takes `own` as near as a rotation can to `other`, both (n, d) of the same n texts. Where
    these say nothing, as of most directions where they are few, it turns nothing.
    """
    count, dimension = own.shape
    product = own.astype(np.float64).T @ other.astype(np.float64)
    left, _, right = np.linalg.svd(product + _STAY * count / dimension * np.eye(dimension))
    return Alignment(np.ascontiguousarray(left @ right, np.float32))


def likeness(one: Vector, other: Vector) -> float:
    """Cosine of two sides of (n, d) vectors of the same n texts, taken as one long vector each,
    without what all texts of a side have in common: 1 where they say the same, 0 where nothing.
    """
    first, second = (side - side.mean(axis=0) for side in (one, other))
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float((first * second).sum()) / lengths if lengths > 0.0 else 1.0


def read_alignment(folder: Path) -> Alignment | None:
    """Of a model's folder, None where it has none. Raises `EncoderError`."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return Alignment(load_file(path)[_NAME])
    except (OSError, SafetensorError, KeyError) as exc:
        raise EncoderError(f"{path} cannot be read ({exc}): remove it and try again") from exc


def write_alignment(folder: Path, alignment: Alignment) -> None:
    """Whole or not at all. Raises `EncoderError`."""
    path = folder / FILE
    try:
        write_whole(path, save({_NAME: alignment.rotation}))
    except OSError as exc:
        raise EncoderError(
            f"{path} cannot be written ({exc.strerror}): is it your folder?"
        ) from exc
