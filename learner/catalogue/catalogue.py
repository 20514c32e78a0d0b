"""The items: id ↔ row, what may stand in a list, and the text neighbours of every item. It knows
nothing about events.

Rows are appended in the order ids are first seen and never change; they mean nothing outside this
process.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import FeatureTable
from learner.catalogue.kernel import grown, room
from learner.catalogue.lexical import LexicalIndex
from learner.catalogue.nearest.text import EXACT, TextGraph
from learner.catalogue.relations import Relation, RelationTable
from upwell.errors import ModelError
from upwell.values import CatalogueItem

__all__ = ["MOST_UNANNOUNCED", "Catalogue"]

MOST_UNANNOUNCED = 10_000
"""Rows that may wait for their announcement: 140 MB of counts, whatever ids an app, or somebody who
wants to do harm, clicks. Enough for a catalogue that comes a little after its events.
"""
_BULK = 1_000  # announcements at once that are taken in by their ids, where their order matters
_AT_ONCE = 8  # a part of them makes room at a time, since it costs a walk through all counts

_KINDS = {"relations": 0, "relation_1": 1, "relation_2": 2}  # 0 for any


class Catalogue:
    """ids: by row, empty where it is free. items: by row, None where an id was seen in an event but
    never announced. allowed: (capacity,) may stand in a list.

    boost: (capacity,) is added to the item's score. pinned: (capacity,) stands first. listable: how
    many are allowed. exact: see `TextGraph`. relations: the
    names of those that are weighed apart.
    """

    def __init__(self, dimension: int, exact: int = EXACT, relations: Sequence[str] = ()) -> None:
        self.dimension = dimension
        self.capacity = 0
        self.ids: list[str] = []
        self.items: list[CatalogueItem | None] = []
        self.allowed = np.zeros(0, np.bool_)
        self.boost = np.zeros(0)
        self.pinned = np.zeros(0, np.bool_)
        self.listable = 0
        self.graph = TextGraph(dimension, exact)
        self.features = FeatureTable()
        self.relations = RelationTable(relations)
        self.lexical = LexicalIndex()
        self._rows: dict[str, int] = {}
        self._unannounced: set[int] = set()
        self._free: list[int] = []
        self._renamed: list[int] = []
        self._promoted: list[tuple[str, int]] = []
        self._categories: dict[str, set[int]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, item_id: str) -> int | None:
        """The row of an id that was seen before."""
        return self._rows.get(item_id)

    def rows(self, item_ids: Iterable[str]) -> list[int]:
        """The rows of those ids that were seen before."""
        return [row for row in map(self._rows.get, item_ids) if row is not None]

    def ensure(self, item_id: str) -> int:
        """The row of an id; where it is new a free one, or appended (without vector, in no list
        until it is announced).
        """
        row = self._rows.get(item_id)
        if row is None:
            if self._free:
                row = self._free.pop()
                self._renamed.append(row)
            else:
                row = self._append()
            self._name(row, item_id)
        return row

    def restore(self, ids: Iterable[str]) -> None:
        """Takes over the `ids` of another one, before anything else."""
        for item_id in ids:
            row = self._append()
            if item_id:
                self._name(row, item_id)
            else:
                self._free.append(row)

    @property
    def unannounced(self) -> int:
        """Rows of ids that nobody announced."""
        return len(self._unannounced)

    def surplus(self, last: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rows that have to make room for others that nobody announced: those with the oldest last
        event. last: (capacity,) its time, 0 for none. Empty while there are few.
        """
        if len(self._unannounced) <= MOST_UNANNOUNCED:
            return np.zeros(0, np.int64)
        rows = np.array(sorted(self._unannounced), np.int64)
        most = MOST_UNANNOUNCED - MOST_UNANNOUNCED // _AT_ONCE
        return rows[np.argsort(last[rows], kind="stable")[: len(rows) - most]]

    def release(self, rows: Iterable[int]) -> None:
        """Frees rows, of which nothing is counted any more; one that is announced stays."""
        for row in rows:
            if self.items[row] is None:
                del self._rows[self.ids[row]]
                self.ids[row] = ""
                self._unannounced.discard(row)
                self._free.append(row)

    def take_renamed(self) -> list[int]:
        """Rows whose id is another one than at the last call."""
        rows, self._renamed = self._renamed, []
        return rows

    def announce(self, items: Sequence[CatalogueItem]) -> NDArray[np.int64]:
        """Takes in new and replaced items; of an id given twice the last one holds. Returns the
        rows whose vector is new.

        An item whose text stayed keeps the vector it has: made anew in another batch it differs in
        its last digits.
        """
        newest = {item.item_id: item for item in items}
        for item in newest.values():
            if item.vector.shape != (self.dimension,):
                raise ModelError(
                    f"item {item.item_id!r} has a vector of shape {item.vector.shape}, "
                    f"expected ({self.dimension},): encode the catalogue anew"
                )
        changed: list[int] = []
        for item in newest.values():
            row = self.ensure(item.item_id)
            before = self.items[row]
            if before is None or _text(before) != _text(item):
                changed.append(row)
            else:
                item = replace(item, vector=before.vector)
            self._replace(row, before, item)
        places = [self._rows[item_id] for item_id in newest]
        self.features.put(places, list(newest.values()))
        self.relations.put(places, list(newest.values()))
        if len(changed) > _BULK and self.graph.texts + len(changed) > self.graph.exact:
            changed.sort(key=self.ids.__getitem__)  # an index depends on the order
        rows = np.array(changed, np.int64)
        if len(rows):
            self.graph.put(rows, np.stack([self._vector(row) for row in changed]), len(self))
        return rows

    @property
    def categories(self) -> Mapping[str, Collection[int]]:
        """The rows of each."""
        return self._categories

    def of_category(self, category: str) -> NDArray[np.int32]:
        """The rows of this category, in their order."""
        return np.array(sorted(self._categories.get(category, ())), np.int32)

    def in_category(self, category: str) -> NDArray[np.bool_]:
        """(capacity,) allowed, and of this category."""
        mask = np.zeros(self.capacity, np.bool_)
        rows = list(self._categories.get(category, ()))
        mask[rows] = self.allowed[rows]
        return mask

    @property
    def promoted(self) -> NDArray[np.int32]:
        """Rows that are candidates for everybody (pinned or boosted up), in order of id."""
        return np.array([row for _, row in self._promoted], np.int32)

    def named(self, row: int) -> str | None:
        """What a reason calls the item: its title while it may stand in a list, else its first
        category: what was withdrawn is not talked about.
        """
        item = self.items[row]
        if item is None or item.available:
            return self.title(row)
        return item.categories[0] if item.categories else None

    def title(self, row: int) -> str | None:
        """What the item is called; None of a picture alone too."""
        item = self.items[row]
        return (item.title or None) if item is not None else None

    def related(self, row: int, signal: str, cause: int) -> Relation | None:
        """By which an item is related to what caused a signal of relations; None of others."""
        one, other = self.items[row], self.items[cause]
        if signal not in _KINDS or one is None or other is None:
            return None
        return self.relations.between(one, other, _KINDS[signal])

    def govern(self, row: int, pinned: bool, boost: float) -> None:
        """Whether the item of a row stands first, and what is added to its score."""
        self.boost[row] = boost
        self.pinned[row] = pinned
        self._promote(self.ids[row], row, pinned or boost > 0.0)

    def _append(self) -> int:
        self.ids.append("")
        self.items.append(None)
        self._grow()
        return len(self.ids) - 1

    def _name(self, row: int, item_id: str) -> None:
        self._rows[item_id] = row
        self.ids[row] = item_id
        self._unannounced.add(row)

    def _vector(self, row: int) -> NDArray[np.float32]:
        item = self.items[row]
        assert item is not None
        return item.vector

    def _replace(self, row: int, before: CatalogueItem | None, item: CatalogueItem) -> None:
        for category in before.categories if before is not None else ():
            self._categories[category].discard(row)
        for category in item.categories:
            self._categories.setdefault(category, set()).add(row)
        self.items[row] = item
        self.lexical.put(row, item.title if item.available else None)
        self._unannounced.discard(row)
        self.listable += int(item.available) - int(self.allowed[row])
        self.allowed[row] = item.available
        self.govern(row, item.pinned, item.boost)

    def _promote(self, item_id: str, row: int, promoted: bool) -> None:
        place = bisect_left(self._promoted, (item_id, row))
        held = self._promoted[place : place + 1] == [(item_id, row)]
        if promoted and not held:
            self._promoted.insert(place, (item_id, row))
        elif held and not promoted:
            del self._promoted[place]

    def _grow(self) -> None:
        self.capacity = room(len(self.ids), self.capacity)
        self.allowed = grown(self.allowed, self.capacity)
        self.boost = grown(self.boost, self.capacity)
        self.pinned = grown(self.pinned, self.capacity)
        self.graph.grow(self.capacity)
        self.features.grow(self.capacity)
        self.relations.grow(self.capacity)


def _text(item: CatalogueItem) -> tuple[object, ...]:
    """What the item's vector was made of, and by what."""
    return item.revision, item.title, item.categories, item.text, item.pictured
