"""Vectors in fewer bytes, as a search compares them: what they say once they are widened again.

Each way is fitted on the catalogue's own vectors and turns any (n, d) unit vectors into (n, k) unit
vectors of what is left. Qdrant's own kinds are among them: whole numbers, signs, products (Jégou et
al., Product quantization for nearest neighbor search, PAMI 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from upwell.values import Vector

__all__ = ["Smaller", "smaller_vectors"]

CENTRES = 256  # one byte names one
ROUNDS = 12
Turn = Callable[[Vector], Vector]


@dataclass(frozen=True, slots=True)
class Smaller:
    """bytes: of a vector as it is kept. turned: (n, d) float32 to (n, k) of unit length."""

    name: str
    bytes: int
    turned: Turn


def smaller_vectors(fit: Vector, seed: int) -> list[Smaller]:
    """Every way, fitted on `fit` (n, d)."""
    dimension, found = fit.shape[1], list[Smaller]()
    axes = principal_axes(fit)
    for size in (256, 128, 64):
        if size < dimension:
            found.append(Smaller(f"first {size}", 4 * size, lambda v, k=size: _unit(v[:, :k])))  # type: ignore[misc]
            found.append(
                Smaller(f"rotated {size}", 4 * size, lambda v, k=size: _unit(v @ axes[:, :k]))  # type: ignore[misc]
            )
    found.append(Smaller("int8", dimension + 4, _whole_numbers))
    for width in (4, 8):
        if dimension % width == 0:
            found.append(_product(fit, width, seed))
    found.append(Smaller("signs", dimension // 8, lambda v: _unit(np.where(v < 0.0, -1.0, 1.0))))
    return found


def principal_axes(fit: Vector) -> Vector:
    """(d, d) in columns, those along which `fit` is longest first. The mean stays in: inner
    products are what is to be kept.
    """
    _, axes = np.linalg.eigh(fit.T.astype(np.float64) @ fit)
    return np.ascontiguousarray(axes[:, ::-1]).astype(np.float32)


def _unit(vectors: NDArray[np.floating]) -> Vector:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: Vector = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return made


def _whole_numbers(vectors: Vector) -> Vector:
    scales = np.abs(vectors).max(axis=1, keepdims=True) / 127.0
    return _unit(np.rint(vectors / np.maximum(scales, 1e-12)) * scales)


def _product(fit: Vector, width: int, seed: int) -> Smaller:
    """A byte for each `width` neighbouring coordinates: the nearest of 256 centres of them."""
    rng = np.random.default_rng(seed)
    parts = range(0, fit.shape[1], width)
    books = [_centres(fit[:, start : start + width], rng) for start in parts]

    def turned(vectors: Vector) -> Vector:
        pieces = [
            book[_nearest(vectors[:, start : start + width], book)]
            for start, book in zip(parts, books, strict=True)
        ]
        return _unit(np.concatenate(pieces, axis=1))

    return Smaller(f"products of {width}", len(books), turned)


def _centres(points: Vector, rng: np.random.Generator) -> Vector:
    """(256, width) by Lloyd's rounds; a centre that nobody is nearest to stays."""
    count = min(CENTRES, len(points))
    centres = points[rng.choice(len(points), count, replace=False)].copy()
    for _ in range(ROUNDS):
        own = _nearest(points, centres)
        for one in range(count):
            if (own == one).any():
                centres[one] = points[own == one].mean(axis=0)
    return centres


def _nearest(points: Vector, centres: Vector) -> NDArray[np.intp]:
    away = (centres**2).sum(axis=1) - 2.0 * points @ centres.T  # (n, centres), but for a constant
    nearest: NDArray[np.intp] = away.argmin(axis=1)
    return nearest
