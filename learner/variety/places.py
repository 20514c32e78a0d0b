"""Who stands where, beside the scores: variants of one thing wait behind all others, and a greedy
choice weighs likeness to what stands above, and the mix of categories.

Both terms of an item only fall as the list grows, so who is chosen next never has more than who was
chosen before: score and terms together fall along a list. It knows nothing about signals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel

__all__ = ["ALIKE", "SMOOTHED", "Variety", "arrange"]

ALIKE = 0.6
"""Cosine of text vectors, from which items of one stem and brand are variants: what MiniLM says of
`Shirt M` and `Shirt XL` (0.63), while longer texts that say the same but for a size have 0.85 and
more. Two films of one name and year are apart where their texts are.
"""
SMOOTHED = 0.01
"""Of the user's own mix that a list's has from the beginning (Steck 2018)."""


class Variety(NamedTuple):
    """kin, told: (capacity,) see `learner.variety.kin`. vectors: (capacity, d) unit length or zero.

    most: of one kin, that stand before all others; 0 for any number. diversity: score, that an item
    of the same text as one above it loses. calibration: weight of the fit of a list's categories to
    those that the user liked.
    """

    kin: NDArray[np.int64]
    told: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    most: int
    diversity: float
    calibration: float


@kernel
def _dot(vectors: NDArray[np.float32], one: int, other: int) -> float:
    total = 0.0
    for place in range(vectors.shape[1]):
        total += float(vectors[one, place]) * float(vectors[other, place])
    return total


@kernel
def _are_variants(variety: Variety, one: int, other: int) -> bool:
    """Two items of one kin."""
    return bool(variety.told[one] or _dot(variety.vectors, one, other) >= ALIKE)


@kernel
def _behind(
    variety: Variety, found: NDArray[np.int32], start: int, order: NDArray[np.int64]
) -> int:
    """Moves those for whom there is no more room behind all others, each half in its order; returns
    how many do not wait. Those before `start` stay.
    """
    standing, waiting = order.copy(), np.empty(len(order), np.int64)
    held = late = 0
    for place in range(len(order)):
        item, same = found[order[place]], 0
        kin = variety.kin[item]
        if kin != 0 and place >= start:
            for earlier in range(held):
                other = found[standing[earlier]]
                if variety.kin[other] == kin and _are_variants(variety, item, other):
                    same += 1
        if same >= variety.most:
            waiting[late] = order[place]
            late += 1
        else:
            standing[held] = order[place]
            held += 1
    order[:held], order[held:] = standing[:held], waiting[:late]
    return held


@kernel
def _liked_mix(categories: NDArray[np.int32], liked: NDArray[np.int32]) -> NDArray[np.float64]:
    """(C,) shares of the categories among the liked items; zeros where none has one."""
    size = 0
    for row in liked:
        size = max(size, categories[row].max() + 1)
    mix = np.zeros(size)
    for row in liked:
        own = np.sum(categories[row] >= 0)
        for code in categories[row]:
            if code >= 0:
                mix[code] += 1.0 / own
    total = mix.sum()
    return mix / total if total > 0.0 else mix


@kernel
def _add_to(
    mix: NDArray[np.float64], categories: NDArray[np.int32], item: int, part: float
) -> None:
    own = np.sum(categories[item] >= 0)
    for code in categories[item]:
        if 0 <= code < len(mix):
            mix[code] += part / own


@kernel
def _gain(
    wanted: NDArray[np.float64],
    held: NDArray[np.float64],
    categories: NDArray[np.int32],
    item: int,
    part: float,
) -> float:
    """By how much the item brings a list's smoothed mix nearer to the wanted one: the fall of the
    Kullback-Leibler divergence, in nats.
    """
    own, total = np.sum(categories[item] >= 0), 0.0
    for code in categories[item]:
        if 0 <= code < len(wanted) and wanted[code] > 0.0:
            before = (1.0 - SMOOTHED) * held[code] + SMOOTHED * wanted[code]
            total += wanted[code] * np.log1p((1.0 - SMOOTHED) * part / own / before)
    return total


@kernel
def _choose(
    variety: Variety,
    categories: NDArray[np.int32],
    liked: NDArray[np.int32],
    found: NDArray[np.int32],
    key: NDArray[np.float64],
    start: int,
    shown: int,
    order: NDArray[np.int64],
    terms: NDArray[np.float64],
) -> None:
    """Greedily from `start` on: of all in `order` the one with the best score and terms is next.

    Maximal marginal relevance (Carbonell & Goldstein 1998), calibration after Steck 2018.
    """
    n, part = len(order), 1.0 / shown
    nearest, wanted = np.zeros(n), _liked_mix(categories, liked)
    held = np.zeros(len(wanted))
    for place in range(shown):
        if place >= start:
            best, most = place, -np.inf
            for at in range(place, n):
                position = order[at]
                item = found[position]
                apart = -variety.diversity * nearest[at]
                fit = variety.calibration * _gain(wanted, held, categories, item, part)
                if -key[position] + apart + fit > most:
                    best, most = at, -key[position] + apart + fit
                    terms[position, 0], terms[position, 1] = apart, fit
            chosen, near = order[best], nearest[best]
            for at in range(best, place, -1):
                order[at], nearest[at] = order[at - 1], nearest[at - 1]
            order[place], nearest[place] = chosen, near
        newest = found[order[place]]
        _add_to(held, categories, newest, part)
        if variety.diversity > 0.0:
            for at in range(max(place + 1, start), n):
                alike = _dot(variety.vectors, found[order[at]], newest)
                nearest[at] = max(nearest[at], alike)
    for at in range(shown, n):
        terms[order[at], 0] = terms[order[at], 1] = 0.0


@kernel
def arrange(
    variety: Variety,
    categories: NDArray[np.int32],
    liked: NDArray[np.int32],
    pinned: NDArray[np.bool_],
    found: NDArray[np.int32],
    key: NDArray[np.float64],
    shown: int,
    order: NDArray[np.int64],
    terms: NDArray[np.float64],
) -> int:
    """Orders the positions in `order`, which come by `key` (n,), best first, anew; pinned items
    stay where they are. Returns how many do not wait behind as variants, at least `shown`.

    found: (n,) rows. shown: places of the list. terms: (n, 2) zeros; of who is in the list is
    written what diversity and calibration add to the score.
    """
    start, ready = 0, len(order)
    while start < len(order) and pinned[found[order[start]]]:
        start += 1
    if variety.most > 0:
        ready = _behind(variety, found, start, order)
    if shown > start and (variety.diversity > 0.0 or variety.calibration > 0.0):
        some = order[:ready]
        _choose(variety, categories, liked, found, key, start, min(shown, ready), some, terms)
    return max(ready, shown)
