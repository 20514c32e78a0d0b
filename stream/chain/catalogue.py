"""The catalogue as one process sees it, and the making of its items: an announcement becomes text,
a vector, an entry.

It knows nothing about Kafka: announcements and operators' controls in, `CatalogueItem`s out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from upwell.errors import SettingsError
from upwell.events import Control, ControlKind, Item
from upwell.ports import Encoder
from upwell.values import CatalogueItem, Vector

__all__ = ["Catalogue", "announce", "check_revision", "govern", "item_text"]


_NUMBER = re.compile(r"(?a:(?<!\d)\d{5,14}(?!\d))")  # shorter ones are years, prices, sizes


class Catalogue:
    """Every item announced so far, by id. Not thread-safe: one thread owns it."""

    def __init__(self) -> None:
        self._items: dict[str, CatalogueItem] = {}
        self._numbers: set[str] = set()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> CatalogueItem | None:
        return self._items.get(item_id)

    def vector(self, item_id: str) -> Vector | None:
        """(d,) the item's text vector, None for an item nobody has announced."""
        item = self._items.get(item_id)
        return None if item is None else item.vector

    def title(self, item_id: str) -> str | None:
        item = self._items.get(item_id)
        return None if item is None else item.title

    def put(self, items: Iterable[CatalogueItem]) -> None:
        for item in items:
            self._items[item.item_id] = item
            self._numbers.update(_NUMBER.findall(item.title))

    def has_number(self, digits: str) -> bool:
        """Whether it is an item's id, or stands in a title: an article number, no phone."""
        return digits in self._items or digits in self._numbers


def check_revision(items: Iterable[CatalogueItem], own: str) -> None:
    """Vectors of another encoder, also of the same size, mean something else.

    Raises `SettingsError`. own: this worker's revision.
    """
    for item in items:
        if _vectors(item.revision) != _vectors(own):
            raise SettingsError(
                f"the catalogue's vectors were made by the encoder {item.revision}, this "
                f"worker has {own}: set UPWELL_ENCODER to the one "
                "that made them, or start afresh with another UPWELL_PREFIX and "
                "UPWELL_DATA and replay"
            )


def _vectors(revision: str) -> str:
    """What of `name@digest/pooling/precision` decides the vectors: not where the model lies, nor
    the device's precision.
    """
    return revision.rpartition("@")[2].rpartition("/")[0] or revision


def item_text(item: Item) -> str:
    """What the language model reads of an item: title, categories, text."""
    parts = (item.title, ", ".join(item.categories), item.text or "")
    return ". ".join(part for part in parts if part)


def announce(
    items: Sequence[Item], known: Sequence[CatalogueItem | None], encoder: Encoder
) -> list[CatalogueItem]:
    """Encode announcements.

    What operators decided about an item (`known`: its entry so far) stays.
    """
    if not items:
        return []
    vectors = encoder.encode([item_text(item) for item in items])
    revision = encoder.revision
    return [
        _entry(item, vector, revision, before)
        for item, vector, before in zip(items, vectors, known, strict=True)
    ]


def govern(item: CatalogueItem, control: Control) -> CatalogueItem:
    """The item after an operator's word on it."""
    match control.kind:
        case ControlKind.BAN_ITEM:
            return replace(item, banned=True)
        case ControlKind.PIN_ITEM:
            return replace(item, pinned=True)
        case ControlKind.BOOST_ITEM:
            return replace(item, boost=control.boost or 0.0)
        case ControlKind.CLEAR_ITEM:
            return replace(item, banned=False, pinned=False, boost=0.0)
        case ControlKind.FORGET_USER:
            return item


def _entry(
    item: Item, vector: Vector, revision: str, before: CatalogueItem | None
) -> CatalogueItem:
    return CatalogueItem(
        item_id=item.item_id,
        ts=item.ts,
        title=item.title,
        vector=np.asarray(vector, dtype=np.float32),
        revision=revision,
        text=item.text,
        categories=item.categories,
        brand=item.brand,
        price=item.price,
        image=item.image,
        language=item.language,
        deleted=item.deleted,
        banned=before.banned if before else False,
        pinned=before.pinned if before else False,
        boost=before.boost if before else 0.0,
        sequence=item.ts,
    )
