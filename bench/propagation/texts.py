"""The items of a log in the order of announcement, their labels, and their vectors with the labels
in the text and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from encoders import load_encoder
from stream.chain.catalogue import item_text
from stream.replay.log import LogRecord
from upwell.events import Item
from upwell.values import Vector

__all__ = ["ByText", "Items", "items_of", "texts_of", "vectors_of"]

_CHUNK = 1_000


@dataclass(frozen=True)
class Items:
    """ids: (n,). names: (L,) of the labels. held: (n, L) which item has which."""

    ids: list[str]
    names: list[str]
    held: NDArray[np.bool_]

    def categories(self, row: int, held: NDArray[np.bool_]) -> tuple[str, ...]:
        """Of one row of a table like `held`."""
        return tuple(self.names[label] for label in np.flatnonzero(held[row]))


def items_of(records: Sequence[LogRecord]) -> tuple[list[dict[str, Any]], Items]:
    """The announcements, and what they hold. Raises `SystemExit` where an id comes twice."""
    values = [orjson.loads(one.value or b"") for one in records]
    ids = [value["item_id"] for value in values]
    if len(set(ids)) != len(ids):
        raise SystemExit("an item is announced twice: this bench takes each announcement as new")
    names = sorted({one for value in values for one in value.get("categories", ())})
    number = {name: label for label, name in enumerate(names)}
    held = np.zeros((len(values), len(names)), np.bool_)
    for row, value in enumerate(values):
        held[row, [number[one] for one in value.get("categories", ())]] = True
    return values, Items(ids, names, held)


def texts_of(values: Sequence[dict[str, Any]], *, labelled: bool) -> list[str]:
    """What the encoder reads of each, with its categories or as if it had none."""
    return [
        item_text(
            Item(
                item_id=value["item_id"],
                ts=value["ts"],
                title=value["title"],
                categories=tuple(value.get("categories", ())) if labelled else (),
                text=value.get("text"),
            )
        )
        for value in values
    ]


def vectors_of(values: Sequence[dict[str, Any]], kept: Path | None) -> tuple[Vector, Vector]:
    """(n, d) of the texts with categories, and without; read from `kept`, which is written where
    it is missing.
    """
    if kept is not None and kept.exists():
        with np.load(kept) as read:
            return read["full"], read["bare"]
    with closing(load_encoder("all-MiniLM-L6-v2", device="cpu")) as encoder:
        full, bare = (
            np.concatenate(
                [encoder.encode(texts[at : at + _CHUNK]) for at in range(0, len(texts), _CHUNK)]
            )
            for texts in (texts_of(values, labelled=one) for one in (True, False))
        )
    if kept is not None:
        np.savez(kept, full=full, bare=bare)
    return full, bare


class ByText:
    """An encoder of texts whose vectors are known."""

    revision = "known@known/mean/f32"

    def __init__(self, texts: Sequence[str], vectors: Vector) -> None:
        self._row = {text: row for row, text in enumerate(texts)}
        self._vectors = vectors
        self.dimension: int = vectors.shape[1]

    def encode(self, texts: Sequence[str]) -> Vector:
        found: Vector = self._vectors[[self._row[text] for text in texts]]
        return found
