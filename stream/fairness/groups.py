"""Groups of items: which rows belong to one, and how the exposure of each stands to its share of
the catalogue and of the interactions.

By popularity and newness the groups are fixed; by category and brand they are the ten with most
items, those that are bounded, and all others as one. Of an item the first eight categories count.
It knows nothing about lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.bands import NEWNESS, POPULARITY, newness_bands, popularity_bands
from learner.counts.popularity import COUNT
from learner.ranking.ranking import Ranking
from upwell.settings import Bound

__all__ = ["NONE", "OTHER", "TOP", "Bands", "all_members", "group_table", "members"]

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
        return np.asarray(bands.by[bound.by] == _FIXED[bound.by].index(bound.group), np.bool_)
    codes = _codes(ranking, bands, bound.by)
    code = _code_of(ranking, codes, bound)
    if code is None:
        return np.zeros(bands.rows, np.bool_)
    return np.asarray(bands.listed & (codes == code).any(axis=1), np.bool_)


def all_members(ranking: Ranking, bounds: Sequence[Bound]) -> list[NDArray[np.bool_]]:
    """(n,) of each bound which items are in its group, as they are now."""
    bands = Bands(ranking) if bounds else None
    return [] if bands is None else [members(ranking, bands, one) for one in bounds]


def group_table(
    ranking: Ranking, bands: Bands, exposure: NDArray[np.float64], bounds: Sequence[Bound]
) -> Table:
    """exposure: (n,) of each row. An item of several categories counts in each, so that their
    shares sum to more than 1.
    """
    parts = np.stack([exposure, np.ones(bands.rows), bands.interactions]) * bands.listed
    totals = parts.sum(axis=1)
    totals[2] = bands.interactions.sum()
    table: Table = {}
    for by, names in _FIXED.items():
        sums = _sums(bands.by[by][:, None], parts, len(names))
        table[by] = {name: _row(one, totals) for name, one in zip(names, sums, strict=True)}
    for by in ("category", "brand"):
        named = [bound for bound in bounds if bound.by == by]
        table[by] = {
            name: _row(one, totals) for name, one in _largest(ranking, bands, by, named, parts)
        }
    return table


def _row(parts: NDArray[np.float64], totals: NDArray[np.float64]) -> dict[str, float | None]:
    """parts, totals: (3,) exposure, items, interactions of the group and of all. parity: exposure
    by its share of the catalogue, 1 where each item has the same; ratio: by its share of
    interactions, 1 where it is shown as it is chosen.
    """
    shown, count, had = (_share(*one) for one in zip(parts.tolist(), totals.tolist(), strict=True))
    return {
        "exposure": shown,
        "catalogue": count,
        "interactions": had,
        "parity": _share(shown, count),
        "ratio": _share(shown, had),
    }


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _sums(codes: NDArray[Any], parts: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(size, 3) of (3, n) `parts` for each code of (n, m) `codes`; -1 is none."""
    there = codes >= 0
    who, flat = np.nonzero(there)[0], codes[there]
    return np.stack([np.bincount(flat, one[who], minlength=size) for one in parts], axis=1)


def _codes(ranking: Ranking, bands: Bands, by: str) -> NDArray[np.int32]:
    """(n, m) of the catalogue's own words, -1 where an item has fewer."""
    features = ranking.state().features
    if by == "category":
        return features.categories[: bands.rows]
    return features.brand[: bands.rows, None]


def _word(ranking: Ranking, by: str, row: int, place: int) -> str:
    """That has the code at this place of `_codes`."""
    item = ranking.catalogue.items[row]
    assert item is not None  # only what is announced has a code
    return list(dict.fromkeys(item.categories))[place] if by == "category" else str(item.brand)


def _code_of(ranking: Ranking, codes: NDArray[np.int32], bound: Bound) -> int | None:
    """None where no item has the word."""
    places: Iterable[tuple[int, int]]
    if bound.by == "category":
        near = sorted(ranking.catalogue.categories.get(bound.group, ()))
        places = ((row, place) for row in near for place in range(codes.shape[1]))
    else:
        places = ((row, 0) for row in np.unique(codes, return_index=True)[1].tolist())
    for row, place in places:
        if codes[row, place] >= 0 and _word(ranking, bound.by, row, place) == bound.group:
            return int(codes[row, place])
    return None


def _largest(
    ranking: Ranking,
    bands: Bands,
    by: str,
    named: Sequence[Bound],
    parts: NDArray[np.float64],
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The ten with most listed items and those that are named; the others as one; what has no word.
    Nothing where no item has one.
    """
    codes = _codes(ranking, bands, by)
    sums = _sums(codes, parts, 0)
    if not sums[:, 1].any():
        return
    largest = np.argsort(-sums[:, 1], kind="stable")[:TOP].tolist()
    bounded = [_code_of(ranking, codes, bound) for bound in named]
    chosen = list(dict.fromkeys([*largest, *(code for code in bounded if code is not None)]))
    for code in chosen:
        if sums[code, 1]:
            row, place = divmod(int((codes == code).argmax()), codes.shape[1])
            yield _word(ranking, by, row, place), sums[code]
    others = np.delete(sums, chosen, axis=0).sum(axis=0)
    if others[1]:
        yield OTHER, others
    without = (codes < 0).all(axis=1) & bands.listed
    if without.any():
        yield NONE, parts[:, without].sum(axis=1)
