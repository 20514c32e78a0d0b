"""Groups of items: which rows belong to one, and how the exposure of each stands to its share of
the catalogue and of the interactions.

By popularity and newness the groups are fixed; by category and brand they are the ten with most
items, those that are bounded, and all others as one. It knows nothing about lists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from learner.counts.bands import NEWNESS, POPULARITY, newness_bands, popularity_bands
from learner.counts.popularity import COUNT
from learner.ranking.ranking import Ranking
from upwell.settings import Bound

__all__ = ["NONE", "OTHER", "TOP", "Bands", "group_table", "members"]

TOP = 10
OTHER, NONE = "(other)", "(none)"
Table = dict[str, dict[str, dict[str, float | None]]]
"""By what, by group, the figures of `_row`."""
_FIXED: Mapping[str, tuple[str, ...]] = {"popularity": POPULARITY, "newness": NEWNESS}


class Bands:
    """Of a catalogue as it is: `listed` (n,), `interactions` (n,) since the beginning, and by
    popularity and by newness the band of each row.
    """

    def __init__(self, ranking: Ranking) -> None:
        state, rows = ranking.state(), len(ranking.catalogue)
        self.rows = rows
        self.listed = ranking.catalogue.allowed[:rows].copy()
        self.interactions = state.popularity.values[COUNT, :rows].copy()
        self.by: Mapping[str, NDArray[np.int8]] = {
            "popularity": popularity_bands(self.interactions, self.listed),
            "newness": newness_bands(state.features.position[:rows], self.listed),
        }


def members(ranking: Ranking, bands: Bands, bound: Bound) -> NDArray[np.bool_]:
    """(n,) the listed items of the bound's group; none where the catalogue has no such."""
    if bound.by in _FIXED:
        return bands.by[bound.by] == _FIXED[bound.by].index(bound.group)
    mask = np.zeros(bands.rows, np.bool_)
    rows = _words(ranking, bands, bound.by).get(bound.group, ())
    mask[np.array(list(rows), np.int64)] = True
    return mask & bands.listed


def group_table(
    ranking: Ranking, bands: Bands, exposure: NDArray[np.float64], bounds: Sequence[Bound]
) -> Table:
    """exposure: (n,) of each row. An item of several categories counts in each, so that their
    shares sum to more than 1.
    """
    listed = np.where(bands.listed, exposure, 0.0)
    totals = (float(listed.sum()), float(bands.listed.sum()), float(bands.interactions.sum()))
    table: Table = {}
    for by, names in _FIXED.items():
        table[by] = {
            name: _row(bands, listed, totals, np.flatnonzero(bands.by[by] == place))
            for place, name in enumerate(names)
        }
    for by in ("category", "brand"):
        named = {bound.group for bound in bounds if bound.by == by}
        table[by] = {
            name: _row(bands, listed, totals, rows)
            for name, rows in _largest(_words(ranking, bands, by), bands, named)
        }
    return table


def _row(
    bands: Bands,
    exposure: NDArray[np.float64],
    totals: tuple[float, float, float],
    rows: NDArray[np.int64],
) -> dict[str, float | None]:
    """Shares of the group, its rows given once for each of its memberships. parity: exposure by its
    share of the catalogue, 1 where each item has the same; ratio: by its share of interactions, 1
    where it is shown as it is chosen.
    """
    rows = rows[bands.listed[rows]]
    shown, count, had = (
        _share(part, whole)
        for part, whole in zip(
            (exposure[rows].sum(), len(rows), bands.interactions[rows].sum()), totals, strict=True
        )
    )
    return {
        "exposure": shown,
        "catalogue": count,
        "interactions": had,
        "parity": _share(shown, count),
        "ratio": _share(shown, had),
    }


def _share(part: float | None, whole: float | None) -> float | None:
    return float(part) / float(whole) if part is not None and whole else None


def _words(ranking: Ranking, bands: Bands, by: str) -> Mapping[str, Collection[int]]:
    """Rows by the catalogue's own words."""
    if by == "category":
        return ranking.catalogue.categories
    codes = ranking.state().features.brand[: bands.rows]
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes[order], 0) :]
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    runs = np.split(order, starts[1:]) if len(order) else []
    return {_brand(ranking, int(run[0])): run.tolist() for run in runs}


def _brand(ranking: Ranking, row: int) -> str:
    item = ranking.catalogue.items[row]
    return (item.brand if item is not None else None) or NONE


def _largest(
    groups: Mapping[str, Collection[int]], bands: Bands, named: Collection[str]
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """The ten with most items and those that are named; the others as one; what is in no group.
    Nothing where no item has such a word.
    """
    sizes = sorted(((-len(rows), name) for name, rows in groups.items() if rows))
    if not sizes:
        return
    chosen = {name for _, name in sizes[:TOP]} | (set(named) & groups.keys())
    without = np.ones(bands.rows, np.bool_)
    others: list[int] = []
    for _, name in sizes:
        rows = np.array(list(groups[name]), np.int64)
        without[rows] = False
        if name in chosen:
            yield name, rows
        else:
            others.extend(rows.tolist())
    if others:
        yield OTHER, np.array(others, np.int64)
    if without[bands.listed].any():
        yield NONE, np.flatnonzero(without)
