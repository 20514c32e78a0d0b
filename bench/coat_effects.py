"""Effects of the items' features in the Coat data: from chosen ratings with and without weights,
and from random ones.

Users' features stand beside them, and whether a coat is for the user's own gender, so that who
chose is not taken for what was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bench.effects import Effects, centred, weighted_effects

__all__ = ["Feature", "effect_rows"]

CLIP = 50.0
OWN = "for the user's own gender"
_Estimate = tuple[float, float, float]


@dataclass(frozen=True)
class Feature:
    """Stars more than the average item, from, to: by chosen ratings as they are, by weighted ones,
    by random ones.
    """

    name: str
    plain: _Estimate
    weighted: _Estimate
    truth: _Estimate

    def as_lists(self) -> dict[str, list[float]]:
        return {
            "plain": list(self.plain),
            "weighted": list(self.weighted),
            "truth": list(self.truth),
        }


def effect_rows(
    ratings: Tensor,
    random: Tensor,
    propensities: Tensor,
    users: tuple[Tensor, list[str]],
    items: tuple[Tensor, list[str]],
) -> list[Feature]:
    """The largest by weighted estimate first.

    users, items: (n, k) one-hot features and their names, `group:level`.
    """
    weights = np.minimum(1.0 / propensities.numpy().astype(np.float64), CLIP)
    flat = np.ones_like(weights)
    found = [
        _effects(stars, by, users, items)
        for stars, by in ((ratings, flat), (ratings, weights), (random, flat))
    ]
    names = _names(items[1])
    triples = [
        [
            (float(one.estimates[place]), *map(float, one.intervals()[place])) for one in found
        ]  # plain, weighted, random
        for place in range(len(names))
    ]
    rows = [Feature(name, *three) for name, three in zip(names, triples, strict=True)]  # type: ignore[arg-type]
    return sorted(rows, key=lambda row: -abs(row.weighted[0]))


def _names(names: list[str]) -> list[str]:
    return [OWN, *(name for group in _groups(names) for name in [names[place] for place in group])]


def _groups(names: list[str]) -> list[list[int]]:
    """Columns of each group, in order."""
    heads = list(dict.fromkeys(name.split(":")[0] for name in names))
    return [
        [place for place, name in enumerate(names) if name.split(":")[0] == head] for head in heads
    ]


def _effects(
    stars: Tensor,
    weights: NDArray[np.float64],
    users: tuple[Tensor, list[str]],
    items: tuple[Tensor, list[str]],
) -> Effects:
    """Own gender, then each level of each group against the group's average item."""
    who, what = np.nonzero(stars.numpy() > 0)
    of_users, of_items = users[0].numpy().astype(np.float64), items[0].numpy().astype(np.float64)
    columns = [place for group in _groups(users[1]) for place in group[1:]]
    item_groups = _groups(items[1])
    own = (of_users[who][:, :2] * of_items[what][:, :2]).sum(axis=1)  # both begin with men, women
    levels = [of_items[what][:, group[1:]] for group in item_groups]
    design = np.column_stack([np.ones(len(who)), of_users[who][:, columns], own, *levels])
    effects = weighted_effects(
        design, stars.numpy()[who, what].astype(np.float64), weights[who, what], who
    )
    contrasts = np.zeros((1 + sum(map(len, item_groups)), design.shape[1]))
    row, column = 1, 1 + len(columns) + 1
    contrasts[0, column - 1] = 1.0
    for group in item_groups:
        contrasts[row : row + len(group), column : column + len(group) - 1] = centred(
            of_items[:, group].sum(axis=0)
        )
        row, column = row + len(group), column + len(group) - 1
    return effects.combined(contrasts)
