"""What an item is worth beside the next click: a rate for each thing that may follow, smoothed, and
the logarithm of the value in clicks, split among what it is made of.

A rate has a Beta prior around that of the item's categories and brand, and these have one around
that of all; how strong each is comes of how much rates differ beyond chance (Kleinman 1973). It
knows nothing about users or lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import Features
from learner.objectives.outcomes import BOUGHT, LEFT, OPENED, RETURNED, STAYED
from upwell.settings import CLICK, OBJECTIVES

__all__ = ["MOST_LIFT", "Groups", "groups_of", "lifts", "smoothed", "strength", "value_terms"]

MOST_LIFT = 8.0
"""A rate counts as so many times the usual one at most, and as this part of it at least."""
LEAST_STRENGTH, MOST_STRENGTH = 2.0, 10_000.0
_OF = {"purchase": (OPENED, BOUGHT), "dwell": (LEFT, STAYED), "return": (OPENED, RETURNED)}
"""Which sums are the trials of an objective, and which what followed."""
_LEAST_RATE = _LEAST_TRIALS = 1e-6


class Groups(NamedTuple):
    """Which categories and brands items have, numbers below `kinds`. items, of: (m,) pairs,
    by item. owners: (p,) the items that have any; starts: (p,) where the pairs of each begin.
    """

    items: NDArray[np.intp]
    of: NDArray[np.int64]
    owners: NDArray[np.intp]
    starts: NDArray[np.intp]
    kinds: int


def groups_of(features: Features, rows: int) -> Groups:
    """Of the first `rows` items."""
    brands = features.brand[:rows].astype(np.int64)
    brands = np.where(brands >= 0, brands + len(features.worth), -1)
    table = np.column_stack([features.categories[:rows], brands])
    items, places = np.nonzero(table >= 0)
    of = table[items, places]
    owners, starts = np.unique(items, return_index=True)
    return Groups(items, of, owners, starts, int(of.max(initial=-1)) + 1)


def strength(
    trials: NDArray[np.float64], hits: NDArray[np.float64], prior: NDArray[np.float64]
) -> float:
    """How many trials the priors (n,) weigh as: by the method of moments, from how far n rates are
    from their priors beyond what so many trials explain.
    """
    tried = trials > _LEAST_TRIALS  # what is less has faded
    t, h, m = trials[tried], hits[tried], prior[tried]
    spare = float(t.sum()) - len(t)
    if spare <= 0.0:
        return MOST_STRENGTH
    beyond = float(((h - t * m) ** 2 / (t * m * (1.0 - m))).sum()) - len(t)
    if beyond <= 0.0:
        return MOST_STRENGTH
    return float(np.clip(spare / beyond - 1.0, LEAST_STRENGTH, MOST_STRENGTH))


def smoothed(
    trials: NDArray[np.float64], hits: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) the rates' means, given what was counted and their priors."""
    known = strength(trials, hits, prior)
    return np.asarray((hits + known * prior) / (trials + known))


def lifts(
    trials: NDArray[np.float64], hits: NDArray[np.float64], groups: Groups
) -> NDArray[np.float64]:
    """(n,) how many times the rate of all each item's is, within `MOST_LIFT`; 1 where nothing
    followed yet.
    """
    hits = np.minimum(hits, trials)
    total = float(trials.sum())
    usual = float(hits.sum()) / total if total > 0.0 else 0.0
    if usual <= 0.0:
        return np.ones(len(trials))
    usual = min(max(usual, _LEAST_RATE), 1.0 - _LEAST_RATE)
    prior = _of_groups(trials, hits, groups, usual)
    found = smoothed(trials, hits, prior) / usual
    return np.asarray(np.clip(found, 1.0 / MOST_LIFT, MOST_LIFT))


def _of_groups(
    trials: NDArray[np.float64], hits: NDArray[np.float64], groups: Groups, usual: float
) -> NDArray[np.float64]:
    """(n,) the mean rate of an item's categories and brand; of an item without any that of all."""
    prior = np.full(len(trials), usual)
    if not len(groups.items):
        return prior
    tried, followed = (
        np.bincount(groups.of, one[groups.items], groups.kinds).astype(np.float64)
        for one in (trials, hits)
    )
    rates = smoothed(tried, followed, np.full(groups.kinds, usual))
    many = np.diff(groups.starts, append=len(groups.items))
    prior[groups.owners] = np.add.reduceat(rates[groups.of], groups.starts) / many
    return np.asarray(np.clip(prior, _LEAST_RATE, 1.0 - _LEAST_RATE))


def value_terms(
    weights: Mapping[str, float], sums: NDArray[np.float64], groups: Groups
) -> dict[str, NDArray[np.float64]]:
    """By objective with a weight (n,) its part of ln(value / value of an item with usual rates),
    where value is the click's weight and, of each objective, weight times lift. The parts sum to
    it. sums: (n, 5 or more) of `outcomes`.
    """
    total = weights[CLICK] + sum(weights[name] for name in OBJECTIVES)
    parts = {
        name: weights[name] / total * (lifts(sums[:, tried], sums[:, hit], groups) - 1.0)
        for name, (tried, hit) in _OF.items()
        if weights[name] > 0.0
    }
    change = np.sum(list(parts.values()), axis=0)
    still = change == 0.0
    scale = np.where(still, 1.0, np.log1p(change) / np.where(still, 1.0, change))
    return {name: part * scale for name, part in parts.items()}
