"""How near an item is to where a user has been lately: at what level of popularity, at what years
and prices, of what brands, at what place in the order of announcement.

Who is among things that few know goes on there, who is at the classics goes on there. It knows
nothing about weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import Features
from learner.catalogue.kernel import kernel
from learner.catalogue.prices import price_of

__all__ = ["LEVELS", "read_brands", "read_level", "read_order", "read_prices", "read_years"]

LEVELS = (3, 10)
"""Of so many last items the level is the mean."""


@kernel
def read_level(
    counts: NDArray[np.float64],
    lately: NDArray[np.int32],
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (n,) how far the items `found` are from the level of the items `lately`, negative; 0
    where there are none of these.

    counts: (N,) events an item, of which one on each item of `lately` is the user's own. The level
    is ln(1 + events of others).
    """
    out[:] = 0.0
    if len(lately) == 0:
        return
    level = 0.0
    for row in lately:
        level += np.log1p(max(counts[row] - 1.0, 0.0))
    level /= len(lately)
    for position in range(len(found)):
        out[position] = -abs(np.log1p(counts[found[position]]) - level)


@kernel
def read_order(
    features: Features,
    lately: NDArray[np.int32],
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (n,) -ln(1 + announcements) between the items `found`, which were announced, and the
    nearest of the items `lately` that were; 0 where there are none of these.
    """
    out[:] = 0.0
    places, known = np.zeros(len(lately), np.int32), 0
    for row in lately:
        if features.position[row] >= 0:
            places[known] = features.position[row]
            known += 1
    if known == 0:
        return
    for position in range(len(found)):
        own = features.position[found[position]]
        away = abs(own - places[0])
        for place in places[1:known]:
            away = min(away, abs(own - place))
        out[position] = -np.log1p(away)


@kernel
def read_years(
    features: Features,
    lately: NDArray[np.int32],
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (n,) -ln(1 + years) between the items `found` and the mean of the items `lately`; who
    names no year has the mean of those who do, all have 0 where none of `lately` does.
    """
    out[:] = 0.0
    mean, known = 0.0, 0
    for row in lately:
        if features.year[row] > 0:
            mean += features.year[row]
            known += 1
    if known == 0:
        return
    mean /= known
    total, dated = 0.0, 0
    for position in range(len(found)):
        year = features.year[found[position]]
        if year > 0:
            out[position] = -np.log1p(abs(year - mean))
            total += out[position]
            dated += 1
    for position in range(len(found)):
        if features.year[found[position]] == 0 and dated > 0:
            out[position] = total / dated


@kernel
def read_prices(
    features: Features,
    lately: NDArray[np.int32],
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (n,) -|ln(1 + price) - its mean over the items `lately`|, prices as they count; who has
    none has the mean of those who do, all have 0 where none of `lately` does.
    """
    out[:] = 0.0
    prices, categories = features.prices, features.categories
    mean, known = 0.0, 0
    for row in lately:
        price = price_of(prices, categories, row)
        if price >= 0.0:
            mean += price
            known += 1
    if known == 0:
        return
    mean /= known
    total, without = 0.0, np.zeros(len(found), np.bool_)
    for position in range(len(found)):
        price = price_of(prices, categories, found[position])
        if price >= 0.0:
            out[position] = -abs(price - mean)
            total += out[position]
        else:
            without[position] = True
    if without.any() and not without.all():
        out[without] = total / (len(found) - without.sum())


@kernel
def read_brands(
    features: Features,
    lately: NDArray[np.int32],
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (n,) ln(1 + how many of the items `lately` are of an item's brand)."""
    out[:] = 0.0
    brands, codes, known = features.brand, np.empty(len(lately), np.int32), 0
    for row in lately:
        if brands[row] >= 0:
            codes[known] = brands[row]
            known += 1
    if known == 0:
        return
    for position in range(len(found)):
        own, same = brands[found[position]], 0
        for place in range(known):
            same += codes[place] == own
        if same:
            out[position] = np.log1p(same)
