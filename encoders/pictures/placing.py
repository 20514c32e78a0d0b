"""Where a picture stands among texts, and an item that has both: late fusion, gated by what there
is. Pure; it knows neither models nor items.

A picture's vector comes into the texts' space by a map that was fitted on items which have both
(`encoders.pictures.fitting`), as in DeViSE (Frome et al., NeurIPS 2013); without one by a fixed
rotation, which keeps what is near among pictures and says nothing of words.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from upwell.errors import EncoderError
from upwell.system.files import write_whole
from upwell.values import Vector

__all__ = ["PictureMap", "Placing", "read_map", "rotation", "write_map"]

_SEED = 46
_HOW = "make it anew (`upwell pictures fit`), or leave UPWELL_IMAGE_MAP out"


@dataclass(frozen=True, slots=True, eq=False)
class PictureMap:
    """y = (x - of_pictures) @ turn + of_texts, then unit length. of_pictures: (p,), turn: (p, d),
    of_texts: (d,), all float32. model, encoder: what decides the vectors of both sides. Raises
    `EncoderError`.
    """

    of_pictures: Vector
    turn: Vector
    of_texts: Vector
    model: str = ""
    encoder: str = ""

    def __post_init__(self) -> None:
        parts = (self.of_pictures, self.turn, self.of_texts)
        right = self.turn.shape == (*self.of_pictures.shape, *self.of_texts.shape)
        finite = all(one.dtype == np.float32 and np.isfinite(one).all() for one in parts)
        if self.turn.ndim != 2 or not right or not finite:
            raise EncoderError(f"a map of pictures of shape {self.turn.shape} is none: {_HOW}")

    @property
    def digest(self) -> str:
        """8 hexadecimal digits of it, part of the revision."""
        parts = (self.of_pictures, self.turn, self.of_texts)
        raw = b"".join(one.astype("<f4").tobytes() for one in parts)
        return blake2b(raw, digest_size=4).hexdigest()

    def __call__(self, picture: Vector) -> Vector:
        """(p,) to (d,), unit length."""
        return _unit((picture - self.of_pictures) @ self.turn + self.of_texts)


def rotation(pictures: int, texts: int) -> PictureMap:
    """The same for every picture model of these lengths: it keeps inner products where there is
    room, else about (Johnson and Lindenstrauss, 1984).
    """
    drawn = np.random.default_rng(_SEED).normal(size=(max(pictures, texts), min(pictures, texts)))
    apart, _ = np.linalg.qr(drawn)
    turn = apart.T if pictures < texts else apart
    return PictureMap(
        np.zeros(pictures, np.float32),
        np.ascontiguousarray(turn, np.float32),
        np.zeros(texts, np.float32),
    )


@dataclass(frozen=True, slots=True)
class Placing:
    """weight: of the picture where an item has both, from 0 to 1."""

    into_texts: PictureMap
    weight: float

    @property
    def name(self) -> str:
        """What of a revision says how pictures are placed."""
        return f"{self.into_texts.digest}-{self.weight:g}"

    def __call__(self, text: Vector | None, picture: Vector) -> Vector:
        """(d,), unit length. text: (d,) of the item's words, None where it has none; picture: (p,).
        The gate: what is missing has no share.
        """
        placed = self.into_texts(picture)
        if text is None:
            return placed
        return _unit((1.0 - self.weight) * text + self.weight * placed)


def read_map(path: Path) -> PictureMap:
    """Raises `EncoderError`."""
    try:
        found = load_file(path)
        words = {name: found[name].tobytes().decode() for name in ("model", "encoder")}
        return PictureMap(found["of_pictures"], found["turn"], found["of_texts"], **words)
    except (OSError, SafetensorError, KeyError, UnicodeDecodeError) as exc:
        raise EncoderError(f"{path} is no map of pictures ({exc}): {_HOW}") from exc


def write_map(path: Path, made: PictureMap) -> None:
    """Whole or not at all. Raises `EncoderError`."""
    parts: dict[str, NDArray[Any]] = {
        "of_pictures": made.of_pictures,
        "turn": made.turn,
        "of_texts": made.of_texts,
        "model": np.frombuffer(made.model.encode(), np.uint8),
        "encoder": np.frombuffer(made.encoder.encode(), np.uint8),
    }
    try:
        write_whole(path, save(parts))
    except OSError as exc:
        raise EncoderError(f"{path} cannot be written ({exc.strerror})") from exc


def _unit(vector: NDArray[Any]) -> Vector:
    wide = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(wide))
    if length == 0.0:
        wide, length = np.eye(1, len(wide))[0], 1.0
    return np.asarray(wide / length, np.float32)
