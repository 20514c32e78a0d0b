"""The catalogue as one process sees it, and the making of its items: an announcement becomes text,
a vector, an entry.

It knows nothing about Kafka: announcements and operators' controls in, `CatalogueItem`s out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from stream.chain.pictures import seen_otherwise, shortened
from upwell.errors import SettingsError
from upwell.events import Control, ControlKind, Item
from upwell.ports import Encoder, Pictures
from upwell.schema import CLEARABLE
from upwell.values import CatalogueItem, Vector

__all__ = [
    "Catalogue",
    "changed",
    "check_revision",
    "encoded",
    "govern",
    "is_made_otherwise",
    "item_text",
    "vectors_of",
]

_PATCHED = (*CLEARABLE, "title", "deleted")
_NO_VECTOR = np.zeros(0, np.float32)


_NUMBER = re.compile(r"(?a:(?<!\d)\d{5,14}(?!\d))")  # shorter ones are years, prices, sizes


class Catalogue:
    """Every item announced so far, by id. Not thread-safe: one thread owns it. also: is told what
    is taken in.
    """

    def __init__(
        self, also: Callable[[Sequence[CatalogueItem]], None] = lambda items: None
    ) -> None:
        self._also = also
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
        """Of an item, None where nobody announced it, or it is a picture alone."""
        item = self._items.get(item_id)
        return None if item is None else item.title or None

    def made_otherwise(self, revision: str, pictures: str = "") -> Iterator[str]:
        """Ids of the items whose vectors are made by other encoders than of these revisions, of
        texts and of pictures.
        """
        return (
            one.item_id
            for one in self._items.values()
            if is_made_otherwise(one, revision, pictures)
        )

    def put(self, items: Sequence[CatalogueItem]) -> None:
        """Take items in, in place of those with the same id."""
        self._also(items)
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


def is_made_otherwise(item: CatalogueItem, revision: str, pictures: str) -> bool:
    """Whether its vector is to be made anew. pictures: of what reads them, empty where none
    does.
    """
    return vectors_of(item.revision) != vectors_of(revision) or seen_otherwise(item, pictures)


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


def changed(
    before: CatalogueItem | None, item: Item, appended_ms: int, untitled: bool = False
) -> CatalogueItem | None:
    """The entry after an announcement, its vector still that of before; None where there is
    nothing to change: the item is unknown, and this is no announcement with a title, nor, where
    such may go `untitled`, with a picture.

    What is left out stays, and so does what operators decided and what `knowledge` says, before the
    first announcement too. appended_ms: of the record, UTC ms.
    """
    if before is None or before.waiting:
        named = item.title is not None or (untitled and item.image is not None)
        if not named or item.deleted:
            return None
        fresh = CatalogueItem(
            item_id=item.item_id, ts=item.ts, title=item.title or "", vector=_NO_VECTOR, revision=""
        )
        known = before or fresh
        before = replace(fresh, triples=known.triples, values=known.values)
    new: dict[str, Any] = {name: getattr(item, name) for name in _PATCHED}
    new = {name: one for name, one in new.items() if one not in (None, ())}
    new |= {name: () if name in ("categories", "relations") else None for name in item.cleared}
    if item.image is not None:
        new["image"] = shortened(item.image)
    if item.title is not None:
        new.setdefault("deleted", False)
    return replace(before, ts=item.ts, sequence=max(appended_ms, before.sequence), **new)


def encoded(
    entries: Sequence[CatalogueItem],
    before: Sequence[CatalogueItem | None],
    encoder: Encoder,
    pictures: Pictures | None = None,
) -> list[CatalogueItem]:
    """The entries with vectors of what they say and show now; `before`: as each was stored, if it
    was.

    One that says and shows what it did keeps its vector. One without a picture has its words'.
    """
    revision = encoder.revision
    stale = [
        place
        for place, (entry, known) in enumerate(zip(entries, before, strict=True))
        if known is None or known.revision != revision or _content(known) != _content(entry)
    ]
    texts = {place: item_text(entries[place]) for place in stale}
    spoken = [place for place, text in texts.items() if text or entries[place].picture is None]
    vectors = encoder.encode([texts[place] for place in spoken]) if spoken else ()
    said = dict(zip(spoken, vectors, strict=True))
    found = list(entries)
    for place in stale:
        new = _vector(said.get(place), entries[place], pictures)
        found[place] = replace(entries[place], vector=new, revision=revision)
    return found


def _content(item: CatalogueItem) -> tuple[str, str]:
    return item_text(item), item.pictured


def _vector(text: Vector | None, item: CatalogueItem, pictures: Pictures | None) -> Vector:
    if pictures is not None and item.picture is not None:
        return pictures.placed(text, item.picture)
    return np.asarray(text, dtype=np.float32)


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
        case _:
            return item
