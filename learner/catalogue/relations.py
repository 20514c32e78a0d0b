"""What items are to each other, as their announcements say: accessory, same series, substitute.

A relation is followed both ways, so that a new item that names known ones is reached from them. It
knows nothing about events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, thinly_grown
from upwell.values import CatalogueItem

__all__ = ["MOST_RELATED", "NAMED", "RelationTable", "Relations"]

MOST_RELATED = 64
"""Related items of an item that count."""
NAMED = 2
"""Relations that may be weighed apart."""
_OWN = 48
"""Of these what the item names itself, where many others name it."""

_Source = tuple[int, str, int]
"""Of an announcement: minus its `ts`, item id, kind of the relation."""


class Relations(NamedTuple):
    """ids, kinds: (N, 64), the first `sizes[row]` hold. kinds: the number of a relation that is
    weighed apart, from 1; 0 of all others.
    """

    ids: NDArray[np.int32]
    kinds: NDArray[np.int8]
    sizes: NDArray[np.int32]


class RelationTable:
    """Owns the arrays, and makes a row's anew when it is next asked for.

    A row holds what its item names, in that order, then those that name it, the latest announced
    first; the same in every process. names: the relations that are weighed apart.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._kinds = {name: number for number, name in enumerate(names[:NAMED], 1)}
        self._rows: dict[str, int] = {}
        self._ids: dict[int, str] = {}
        self._targets: dict[str, tuple[tuple[int, str], ...]] = {}
        self._sources: dict[str, set[_Source]] = {}
        self._times: dict[str, int] = {}
        self._stale: set[int] = set()
        self._state = Relations(
            np.zeros((0, MOST_RELATED), np.int32),
            np.zeros((0, MOST_RELATED), np.int8),
            np.zeros(0, np.int32),
        )

    def grow(self, capacity: int) -> None:
        """Makes room for `capacity` rows."""
        ids, kinds, sizes = self._state
        if capacity > len(sizes):
            self._state = Relations(
                thinly_grown(ids, capacity), thinly_grown(kinds, capacity), grown(sizes, capacity)
            )

    def put(self, rows: Sequence[int], items: Sequence[CatalogueItem]) -> None:
        """Takes in or replaces what items at distinct `rows` name."""
        for row, item in zip(rows, items, strict=True):
            item_id = item.item_id
            if item_id not in self._rows:
                self._rows[item_id], self._ids[row] = row, item_id
                self._stale_all(one for _, one, _ in self._sources.get(item_id, ()))
                if item_id in self._sources:
                    self._stale.add(row)
            targets = tuple(
                (self._kinds.get(name, 0), target)
                for name, related in item.relations
                for target in related
                if target != item_id
            )
            if (targets, item.ts) != (self._targets.get(item_id, ()), self._times.get(item_id)):
                self._replace(item_id, targets, item.ts)

    @property
    def state(self) -> Relations:
        """The arrays as kernels take them; valid until the next `put` or `grow`."""
        for row in self._stale:
            self._make(row)
        self._stale.clear()
        return self._state

    def _replace(self, item_id: str, targets: tuple[tuple[int, str], ...], ts: int) -> None:
        before, was = self._targets.pop(item_id, ()), self._times.pop(item_id, ts)
        if not (before or targets):
            return
        for kind, target in before:
            self._sources[target].discard((-was, item_id, kind))
        for kind, target in targets:
            self._sources.setdefault(target, set()).add((-ts, item_id, kind))
        if targets:
            self._targets[item_id], self._times[item_id] = targets, ts
        self._stale_all([item_id, *(target for _, target in (*before, *targets))])

    def _stale_all(self, item_ids: Iterable[str]) -> None:
        self._stale.update(self._rows[one] for one in item_ids if one in self._rows)

    def _make(self, row: int) -> None:
        item_id = self._ids[row]
        own = self._targets.get(item_id, ())
        named_by = [(kind, one) for _, one, kind in sorted(self._sources.get(item_id, ()))]
        edges = dict.fromkeys([*own[:_OWN], *named_by, *own[_OWN:]])
        found = [(kind, self._rows[one]) for kind, one in edges if one in self._rows]
        ids, kinds, sizes = self._state
        sizes[row] = size = min(len(found), MOST_RELATED)
        if size:
            kinds[row, :size], ids[row, :size] = zip(*found[:size], strict=True)
