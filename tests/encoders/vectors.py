"""Kept vectors by number, so that a test says which it means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from encoders.kept import KeptVectors
from upwell.values import Vector

__all__ = ["DIMENSION", "ENOUGH", "MODEL", "Said", "holds", "key_of", "opened", "some", "vector_of"]

Said = Callable[[], list[str]]
"""What was said since the last call."""
DIMENSION = 4
MODEL = "model@abc/mean/float32"
ENOUGH = 10**9


def opened(folder: Path, model: str = MODEL, most_bytes: int = ENOUGH) -> KeptVectors:
    return KeptVectors(folder, model, DIMENSION, most_bytes)


def key_of(number: int) -> bytes:
    return number.to_bytes(16, "little")


def vector_of(number: int) -> Vector:
    vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def some(*numbers: int) -> dict[bytes, Vector]:
    return {key_of(number): vector_of(number) for number in numbers}


def holds(kept: KeptVectors, *numbers: int) -> bool:
    found = kept.read([key_of(number) for number in numbers])
    return len(found) == len(numbers) and all(
        (found[key_of(number)] == vector_of(number)).all() for number in numbers
    )
