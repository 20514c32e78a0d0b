"""The one point format of every adapter and the checks before a write: ids, dimension, finiteness,
sequences.

It knows neither a backend nor how a state is packed (`store.codec`). A vector database takes NaN
without a word and applies half of a batch with one bad vector, so nothing reaches one unchecked.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from upwell.errors import StoreError
from upwell.values import Vector

__all__ = [
    "MAX_ID_LENGTH",
    "MAX_SEQUENCE",
    "Payload",
    "PayloadValue",
    "Point",
    "check_finite",
    "check_id",
    "check_sequence",
    "check_vector",
    "newest",
    "point_id",
]

MAX_ID_LENGTH = 256
MAX_SEQUENCE = 2**53 - 1  # a backend compares sequences as float64
NAMESPACE = uuid.UUID("5f0c2f3a-7a0e-5d0e-9a55-3f6f0b6f1c11")

PayloadValue = str | int
Payload = dict[str, PayloadValue]


@dataclass(frozen=True, slots=True)
class Point:
    """One user or item as a backend keeps it.

    `id`: uuid5 of `name`; `sequence` is in `payload` too, under the same name.
    """

    id: str
    name: str
    sequence: int
    vector: Vector
    payload: Payload


def point_id(name: str) -> str:
    """The backend's id of a user or item: a UUID derived from its name, always the same."""
    try:
        return str(uuid.uuid5(NAMESPACE, name))
    except UnicodeEncodeError as exc:
        raise StoreError(
            f"id {name!r} is not valid Unicode: give an id without lone surrogates"
        ) from exc


def check_id(name: str, what: str) -> None:
    """An id is a string of 1 to 256 characters."""
    if not isinstance(name, str):
        raise StoreError(f"{what} id {name!r} is a {type(name).__name__}: give a string")
    if not 0 < len(name) <= MAX_ID_LENGTH:
        raise StoreError(
            f"{what} id of {len(name)} characters ({name[:40]!r}): give 1 to {MAX_ID_LENGTH}"
        )


def check_vector(vector: Vector, dimension: int, owner: str) -> None:
    """A vector is (dimension,) float32 and finite."""
    if vector.shape != (dimension,):
        raise StoreError(
            f"vector of {owner} has shape {vector.shape}: this store keeps ({dimension},)"
        )
    if vector.dtype != np.float32:
        raise StoreError(f"vector of {owner} is {vector.dtype}: give float32")
    if not np.isfinite(vector).all():
        raise StoreError(
            f"vector of {owner} has a NaN or infinite component: nothing of this batch was written"
        )


def check_finite(values: Iterable[float | None], what: str, owner: str) -> None:
    """JSON has no NaN: it would come back as null."""
    for value in values:
        if value is not None and not math.isfinite(value):
            raise StoreError(f"{what} of {owner} is {value}: give a finite number")


def check_sequence(sequence: int, owner: str) -> None:
    """A sequence is 0 or more and exact as float64."""
    if not 0 <= sequence <= MAX_SEQUENCE:
        raise StoreError(f"sequence of {owner} is {sequence}: give 0 to {MAX_SEQUENCE}")


def newest(points: Sequence[Point], *, last_of_equals: bool) -> list[Point]:
    """One point an id, the one of highest sequence, in the order in which the ids first appear."""
    best: dict[str, Point] = {}
    for point in points:
        held = best.get(point.id)
        if (
            held is None
            or point.sequence > held.sequence
            or (last_of_equals and point.sequence == held.sequence)
        ):
            best[point.id] = point
    return list(best.values())
