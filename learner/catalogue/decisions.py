"""Pins and boosts of single requests: while those are ranked that have the same ones, the catalogue
is as if they held for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from learner.catalogue.catalogue import Catalogue
from upwell.ports import RankRequest

__all__ = ["decided", "under_decisions"]

T = TypeVar("T")


def under_decisions(
    catalogue: Catalogue,
    requests: Sequence[RankRequest],
    rank: Callable[[Sequence[RankRequest]], list[T]],
) -> list[T]:
    """What `rank` gives for each request, under what was decided for it."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, one in enumerate(requests):
        groups.setdefault((one.pinned, tuple(sorted(one.boosted.items()))), []).append(place)
    found: dict[int, T] = {}
    for places in groups.values():
        some = [requests[place] for place in places]
        with decided(catalogue, some[0].pinned, some[0].boosted):
            found.update(zip(places, rank(some), strict=True))
    return [found[place] for place in range(len(requests))]


@contextmanager
def decided(
    catalogue: Catalogue, pinned: Sequence[str], boosted: Mapping[str, float]
) -> Iterator[None]:
    """These stand first, and this is added to the scores of those. Of what nobody announced nothing
    is said.
    """
    rows = {item_id: catalogue.row(item_id) for item_id in (*pinned, *boosted)}
    known = {
        item_id: row
        for item_id, row in rows.items()
        if row is not None and catalogue.items[row] is not None
    }
    pins, boosts = catalogue.pinned, catalogue.boost
    before = {row: (bool(pins[row]), float(boosts[row])) for row in known.values()}
    try:
        for item_id, row in known.items():
            first, boost = before[row]
            catalogue.govern(row, first or item_id in pinned, boost + boosted.get(item_id, 0.0))
        yield
    finally:
        for row, held in before.items():
            catalogue.govern(row, *held)
