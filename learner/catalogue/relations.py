"""What items are to each other, as their announcements and triples say: accessory, substitute, of
one series.

A relation is followed both ways, so that a new item that names known ones is reached from them.
Items that share a value of one relation are related by it, unless too many do. It knows nothing
about events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, thinly_grown
from upwell.values import CatalogueItem

__all__ = ["MOST_RELATED", "MOST_SHARING", "NAMED", "Relation", "RelationTable", "Relations"]

MOST_RELATED = 64
"""Related items of an item that count."""
MOST_SHARING = 64
"""Items that a value relates to each other: of one that more items have, it says too little."""
NAMED = 2
"""Relations that may be weighed apart."""
_OWN = 48
"""Of these what the item names itself, where many others name it."""

_Source = tuple[int, str, int]
"""Of an announcement: minus its `ts`, item id, kind of the relation."""
Value = tuple[str, str]
"""A relation and the value of it."""


class Relation(NamedTuple):
    """By which two items are related; `value` where both have it."""

    name: str
    value: str | None = None


class Relations(NamedTuple):
    """ids, kinds: (N, 64), the first `sizes[row]` hold. kinds: the number of a relation that is
    weighed apart, from 1; 0 of all others.
    """

    ids: NDArray[np.int32]
    kinds: NDArray[np.int8]
    sizes: NDArray[np.int32]


class RelationTable:
    """Owns the arrays, and makes a row's anew when it is next asked for.

    A row holds what its item names, in that order, then those that name it, then those that share
    a value, the rarest value first, each the latest announced first; the same in every process.
    names: the relations that are weighed apart.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._kinds = {name: number for number, name in enumerate(names[:NAMED], 1)}
        self._rows: dict[str, int] = {}
        self._ids: dict[int, str] = {}
        self._targets: dict[str, tuple[tuple[int, str], ...]] = {}
        self._sources: dict[str, set[_Source]] = {}
        self._times: dict[str, int] = {}
        self._values: dict[str, tuple[Value, ...]] = {}
        self._holders: dict[Value, dict[str, int]] = {}
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
                for name, related in (*item.relations, *item.triples)
                for target in related
                if target != item_id
            )
            if (targets, item.ts) != (self._targets.get(item_id, ()), self._times.get(item_id)):
                self._replace(item_id, targets, item.ts)
            values = tuple({(name, one): 0 for name, ends in item.values for one in ends})
            if values or item_id in self._values:
                self._hold(item_id, values, item.ts)

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

    def rows_with(self, name: str, value: str) -> NDArray[np.int32]:
        """Of the items that have a value, ascending."""
        held = self._holders.get((name, value), ())
        return np.array(sorted(self._rows[one] for one in held), np.int32)

    def between(self, one: CatalogueItem, other: CatalogueItem, kind: int = 0) -> Relation | None:
        """By which the two are related, where one names the other before a value that they share.
        kind: of what is weighed apart, 0 for any.
        """
        for by, to in ((one, other), (other, one)):
            for name, ends in (*by.relations, *by.triples):
                if to.item_id in ends and kind in (0, self._kinds.get(name, 0)):
                    return Relation(name)
        shared = set(self._values.get(one.item_id, ())) & set(self._values.get(other.item_id, ()))
        for key in self._counting(shared):
            if kind in (0, self._kinds.get(key[0], 0)):
                return Relation(*key)
        return None

    def _counting(self, values: Iterable[Value]) -> list[Value]:
        """Those that few enough have, the rarest first."""
        sizes = {key: len(self._holders[key]) for key in values}
        return sorted(
            (key for key in sizes if sizes[key] <= MOST_SHARING), key=lambda k: (sizes[k], k)
        )

    def _hold(self, item_id: str, values: tuple[Value, ...], ts: int) -> None:
        before = self._values.pop(item_id, ())
        if before == values and all(self._holders[key][item_id] == ts for key in values):
            self._values[item_id] = values
            return
        for key in before:
            del self._holders[key][item_id]
        for key in values:
            self._holders.setdefault(key, {})[item_id] = ts
        if values:
            self._values[item_id] = values
        for key in {*before, *values}:
            holders = self._holders[key]
            if len(holders) <= MOST_SHARING + 1:  # or it counted for nothing, and still does
                self._stale_all(holders)
            if not holders:
                del self._holders[key]
        self._stale_all([item_id])

    def _stale_all(self, item_ids: Iterable[str]) -> None:
        self._stale.update(self._rows[one] for one in item_ids if one in self._rows)

    def _make(self, row: int) -> None:
        item_id = self._ids[row]
        own = self._targets.get(item_id, ())
        named_by = [(kind, one) for _, one, kind in sorted(self._sources.get(item_id, ()))]
        edges = dict.fromkeys([*own[:_OWN], *named_by, *own[_OWN:], *self._sharing(item_id)])
        found = [(kind, self._rows[one]) for kind, one in edges if one in self._rows]
        ids, kinds, sizes = self._state
        sizes[row] = size = min(len(found), MOST_RELATED)
        if size:
            kinds[row, :size], ids[row, :size] = zip(*found[:size], strict=True)

    def _sharing(self, item_id: str) -> list[tuple[int, str]]:
        """Kind and id of those that share a value."""
        return [
            (self._kinds.get(key[0], 0), one)
            for key in self._counting(self._values.get(item_id, ()))
            for _, one in sorted((-ts, one) for one, ts in self._holders[key].items())
            if one != item_id
        ]
