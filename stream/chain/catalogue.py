"""The catalogue as one process sees it, and the making of its items: an announcement becomes text,
a vector, an entry.

It knows nothing about Kafka: announcements and operators' controls in, `CatalogueItem`s out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from upwell.errors import SettingsError
from upwell.events import Control, ControlKind, Item
from upwell.ports import Encoder
from upwell.schema import CLEARABLE
from upwell.values import CatalogueItem, Vector

__all__ = ["Catalogue", "changed", "check_revision", "encoded", "govern", "item_text", "vectors_of"]

_PATCHED = (*CLEARABLE, "title", "deleted")
_NO_VECTOR = np.zeros(0, np.float32)


_NUMBER = re.compile(r"(?a:(?<!\d)\d{5,14}(?!\d))")  # shorter ones are years, prices, sizes


class Catalogue:
    """Every item announced so far, by id. Not thread-safe: one thread owns it."""

    def __init__(self) -> None:
        self._items: dict[str, CatalogueItem] = {}
        self._numbers: set[str] = set()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> CatalogueItem | None:
        """The item, None where nobody announced it."""
        return self._items.get(item_id)

    def vector(self, item_id: str) -> Vector | None:
        """(d,) the item's text vector, None for an item nobody has announced."""
        item = self._items.get(item_id)
        return None if item is None else item.vector

    def title(self, item_id: str) -> str | None:
        """Of an item, None where nobody announced it."""
        item = self._items.get(item_id)
        return None if item is None else item.title

    def made_otherwise(self, revision: str) -> Iterator[str]:
        """Ids of the items whose vectors are another encoder's than this revision's."""
        own = vectors_of(revision)
        return (one.item_id for one in self._items.values() if vectors_of(one.revision) != own)

    def put(self, items: Iterable[CatalogueItem]) -> None:
        """Take items in, in place of those with the same id."""
        for item in items:
            self._items[item.item_id] = item
            self._numbers.update(_NUMBER.findall(item.title))

    def has_number(self, digits: str) -> bool:
        """Whether it is an item's id, or stands in a title: an article number, no phone."""
        return digits in self._items or digits in self._numbers


def check_revision(items: Iterable[CatalogueItem], own: str, known: Collection[str] = ()) -> None:
    """Vectors of another encoder, also of the same size, mean something else, unless that one is,
    or was, in force here.

    Raises `SettingsError`. own: this worker's revision. known: of those that were in force, what
    `vectors_of` says.
    """
    allowed = {vectors_of(own), *known}
    for item in items:
        if vectors_of(item.revision) not in allowed:
            raise SettingsError(
                f"the catalogue's vectors were made by the encoder {item.revision}, this "
                f"worker has {own}: set UPWELL_ENCODER to the one "
                "that made them, or start afresh with another UPWELL_PREFIX and "
                "UPWELL_DATA and replay"
            )


@lru_cache(maxsize=64)
def vectors_of(revision: str) -> str:
    """What of `name@digest/pooling/precision` decides the vectors: not where the model lies, nor
    the device's precision.
    """
    return revision.rpartition("@")[2].rpartition("/")[0] or revision


def item_text(item: Item | CatalogueItem) -> str:
    """What the language model reads of an item: title, categories, text."""
    parts = (item.title, ", ".join(item.categories), item.text or "")
    return ". ".join(part for part in parts if part)


def changed(before: CatalogueItem | None, item: Item, appended_ms: int) -> CatalogueItem | None:
    """The entry after an announcement, its vector still that of before; None where there is
    nothing to change: the item is unknown, and this is no announcement with a title.

    What is left out stays, and so does what operators decided. appended_ms: of the record, UTC ms.
    """
    if before is None:
        if item.title is None or item.deleted:
            return None
        before = CatalogueItem(
            item_id=item.item_id, ts=item.ts, title=item.title, vector=_NO_VECTOR, revision=""
        )
    new: dict[str, Any] = {name: getattr(item, name) for name in _PATCHED}
    new = {name: one for name, one in new.items() if one not in (None, ())}
    new |= {name: () if name in ("categories", "relations") else None for name in item.cleared}
    if item.title is not None:
        new.setdefault("deleted", False)
    return replace(before, ts=item.ts, sequence=max(appended_ms, before.sequence), **new)


def encoded(
    entries: Sequence[CatalogueItem], before: Sequence[CatalogueItem | None], encoder: Encoder
) -> list[CatalogueItem]:
    """The entries with vectors of what they say now; `before`: as each was stored, if it was.

    One that says what it said keeps its vector.
    """
    revision = encoder.revision
    stale = [
        place
        for place, (entry, known) in enumerate(zip(entries, before, strict=True))
        if known is None or known.revision != revision or item_text(known) != item_text(entry)
    ]
    found = list(entries)
    vectors = encoder.encode([item_text(entries[place]) for place in stale]) if stale else ()
    for place, vector in zip(stale, vectors, strict=True):
        new = np.asarray(vector, dtype=np.float32)
        found[place] = replace(entries[place], vector=new, revision=revision)
    return found


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
        case ControlKind.FORGET_USER | ControlKind.MERGE_USER:
            return item
