"""Triples folded into the entries of their items: a set of objects and of values by relation.

The order of the records decides, as of announcements, and the same records again change nothing. A
triple of an item that nobody has announced waits in an entry that no list sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stream.chain.records import Arrival, letter_of
from upwell.events import Knowledge
from upwell.knowledge.records import MOST_OBJECTS, MOST_RELATIONS
from upwell.recommendations import DeadLetter
from upwell.values import CatalogueItem

__all__ = ["Known", "told", "with_triples"]

Ends = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """entries: announced, after the triples. waiting: of items that nobody has announced."""

    entries: list[CatalogueItem]
    waiting: list[CatalogueItem]
    letters: list[DeadLetter]


def with_triples(
    entries: Mapping[str, CatalogueItem],
    triples: Sequence[Arrival],
    room: int,
    dimension: int,
    now_ms: int,
) -> Known:
    """What the triples make of the entries of their items, of those that they touch. Dead letters
    for more than an item may have, and for items beyond the `room` for new ones. dimension: of an
    item's vector.
    """
    touched: dict[str, CatalogueItem] = {}
    letters = []
    for arrival in triples:
        known = arrival.event
        assert isinstance(known, Knowledge)
        item_id = known.item_id or ""
        entry = touched.get(item_id) or entries.get(item_id)
        if entry is None and known.deleted:
            continue
        if entry is None:
            if room <= 0:
                letters.append(letter_of(arrival, "catalogue_full", _NO_ROOM, now_ms))
                continue
            room -= 1
            entry = _waiting(item_id, known.ts, dimension)
        after = told(entry, known)
        if after is None:
            letters.append(letter_of(arrival, "knowledge_full", _FULL, now_ms))
        else:
            newest = max(arrival.record.appended_ms, entry.sequence)
            touched[item_id] = replace(after, sequence=newest)
    return Known(
        [one for one in touched.values() if not one.waiting],
        [one for one in touched.values() if one.waiting],
        letters,
    )


def told(entry: CatalogueItem, known: Knowledge) -> CatalogueItem | None:
    """The entry after a triple; None where it has as many as an item may."""
    name = "values" if known.object is None else "triples"
    end = known.value if known.object is None else known.object
    relation = known.relation or ""
    ends = dict(getattr(entry, name))
    before = ends.get(relation, ())
    if (end in before) is not known.deleted:
        return entry
    if known.deleted:
        ends[relation] = tuple(one for one in before if one != end)
    elif len(before) >= MOST_OBJECTS or (not before and len(ends) >= MOST_RELATIONS):
        return None
    else:
        ends[relation] = (*before, end)
    after: Ends = tuple((one, ends[one]) for one in sorted(ends) if ends[one])
    return replace(entry, triples=after) if name == "triples" else replace(entry, values=after)


def _waiting(item_id: str, ts: int, dimension: int) -> CatalogueItem:
    return CatalogueItem(
        item_id=item_id,
        ts=ts,
        title="",
        vector=np.zeros(dimension, np.float32),
        revision="",
        waiting=True,
    )


_FULL = (
    f"the item has as many triples as it may: {MOST_RELATIONS} relations with items, as many with "
    f"values, {MOST_OBJECTS} of each; take one back (deleted), then send this one again"
)
_NO_ROOM = (
    "nobody announced the item, and the catalogue holds as many as UPWELL_CATALOGUE_ITEMS allows: "
    "raise it, then send the triple again"
)
