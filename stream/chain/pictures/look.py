"""Which entries' pictures are looked at, and the entries after: a picture that was seen stays, one
that cannot be had costs the item nothing but the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from upwell.ports import Pictures
from upwell.values import GONE_SCHEME, LATER, CatalogueItem, SeenPicture, Vector

__all__ = ["Missed", "has_picture", "looked", "missed_lines", "seen_otherwise", "shortened"]

LONGEST_KEPT = 2_048
"""Characters. A longer picture, one that is its own data, is not carried through every process:
its digest is.
"""
NONE = "none"


@dataclass(frozen=True, slots=True)
class Missed:
    """An item that goes on without its picture: reason, one of `PICTURE_REASONS`, and what of
    it.
    """

    item_id: str
    reason: str
    detail: str


def shortened(image: str) -> str:
    """What an entry keeps of a picture that was announced."""
    if len(image) <= LONGEST_KEPT:
        return image
    return GONE_SCHEME + blake2b(image.encode("utf-8", "replace"), digest_size=16).hexdigest()


def has_picture(item: CatalogueItem) -> bool:
    """Whether its vector is its picture's too."""
    return bool(item.pictured) and not item.pictured.endswith(f"/{NONE}")


def seen_otherwise(item: CatalogueItem, revision: str) -> bool:
    """Whether its picture is to be looked at, or placed, anew. revision: of `Pictures`, empty where
    pictures are off.
    """
    if not revision or item.image is None:
        return has_picture(item)
    return item.pictured.rpartition("/")[0] != revision


def looked(
    entries: Sequence[CatalogueItem],
    before: Sequence[CatalogueItem | None],
    announced: Mapping[str, str],
    pictures: Pictures | None,
    last: bool = False,
) -> tuple[list[CatalogueItem], list[Missed]]:
    """The entries with what their pictures are, and those whose picture is not to be had. before:
    as each was stored, if it was. announced: pictures as they came, by item_id. last: what would
    come later does not come.

    A picture is looked at where it is new, where its model is, and where one that could not be had
    is announced again.
    """
    if pictures is None:
        return [_as(entry, None, "") for entry in entries], []
    wanted = [
        place
        for place, (entry, known) in enumerate(zip(entries, before, strict=True))
        if _is_wanted(entry, known, entry.item_id in announced, pictures)
    ]
    images = [_picture(entries[place], announced) for place in wanted]
    found = dict(zip(wanted, pictures.look(images) if images else (), strict=True))
    made = [
        _with(entry, found.get(place), known, pictures, last)
        for place, (entry, known) in enumerate(zip(entries, before, strict=True))
    ]
    missed = [
        Missed(entries[place].item_id, one.reason, one.detail)
        for place, one in found.items()
        if one.vector is None
    ]
    return made, missed


def missed_lines(missed: Sequence[Missed]) -> list[str]:
    """One for each reason, with the first item that it holds for and how many."""
    lines = []
    for reason in dict.fromkeys(one.reason for one in missed):
        own = [one for one in missed if one.reason == reason]
        more = f" ({len(own):,} items in this batch)" if len(own) > 1 else ""
        lines.append(f"item {own[0].item_id} has no picture: {reason}, {own[0].detail}{more}")
    return lines


def _picture(entry: CatalogueItem, announced: Mapping[str, str]) -> str:
    return announced.get(entry.item_id) or entry.image or ""


def _is_wanted(
    entry: CatalogueItem, known: CatalogueItem | None, again: bool, pictures: Pictures
) -> bool:
    if entry.image is None:
        return False
    if known is None or known.image != entry.image or not _by(known, pictures.model):
        return True
    return known.picture is None and again


def _by(known: CatalogueItem, model: str) -> bool:
    """Whether this model has looked at it."""
    return known.pictured.startswith(f"{model}/")


def _with(
    entry: CatalogueItem,
    seen: SeenPicture | None,
    known: CatalogueItem | None,
    pictures: Pictures,
    last: bool,
) -> CatalogueItem:
    if entry.image is None:
        return _as(entry, None, "")
    if seen is None:  # as it was seen, placed as it is placed now
        assert known is not None
        content = NONE if known.picture is None else known.pictured.rpartition("/")[2]
        return _as(entry, known.picture, f"{pictures.revision}/{content}")
    if seen.vector is None:
        later = seen.reason == LATER and not last
        return _as(entry, None, "" if later else f"{pictures.revision}/{NONE}")
    return _as(entry, seen.vector, f"{pictures.revision}/{seen.content}")


def _as(entry: CatalogueItem, picture: Vector | None, pictured: str) -> CatalogueItem:
    """The very entry where that is what it is."""
    if entry.picture is picture and entry.pictured == pictured:
        return entry
    return replace(entry, picture=picture, pictured=pictured)
