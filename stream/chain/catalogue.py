"""The catalogue as one process sees it, and the making of its items: an announcement becomes text,
a vector, an entry.

It knows nothing about Kafka: announcements and operators' controls in, `CatalogueItem`s out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from upwell.errors import SettingsError
from upwell.events import Control, ControlKind, Item
from upwell.ports import Encoder
from upwell.values import CatalogueItem, Vector

__all__ = ["Catalogue", "announce", "check_revision", "govern", "item_text"]


class Catalogue:
    """Every item announced so far, by id. Not thread-safe: one thread owns it."""

    def __init__(self) -> None:
        self._items: dict[str, CatalogueItem] = {}

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


def item_text(item: Item | CatalogueItem) -> str:
    """What the language model reads of an item: title, categories, text."""
    parts = (item.title, ", ".join(item.categories), item.text or "")
    return ". ".join(part for part in parts if part)


def announce(
    items: Sequence[Item], known: Sequence[CatalogueItem | None], encoder: Encoder
) -> list[CatalogueItem]:
    """Encode announcements whose text is new.

    Of an item that has an entry (`known`) the vector stays while its text does, and what operators
    decided about it.
    """
    if not items:
        return []
    revision = encoder.revision
    kept = [
        before.vector if before is not None and _same_text(item, before, revision) else None
        for item, before in zip(items, known, strict=True)
    ]
    texts = [item_text(item) for item, vector in zip(items, kept, strict=True) if vector is None]
    encoded = iter(encoder.encode(texts)) if texts else iter(())
    return [
        _entry(item, next(encoded) if vector is None else vector, revision, before)
        for item, vector, before in zip(items, kept, known, strict=True)
    ]


def _same_text(item: Item, entry: CatalogueItem, revision: str) -> bool:
    return entry.revision == revision and item_text(entry) == item_text(item)


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
