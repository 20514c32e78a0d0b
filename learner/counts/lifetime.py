"""How long interest in items lasts, learned of the ages at which they are taken, and how far each
item is into that.

An age is the time since an item's newest announcement. It knows nothing about weights: whether old
items are left alone is learned by the gate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel

__all__ = ["KEPT_TAKES", "empty_lifetime", "learn_lifetime", "read_lifetime", "typical_hours"]

KEPT_TAKES = 1_000.0
"""Of so many the mean is at most; older ones fade."""
_FIRST_SECONDS = 86_400.0
"""Typical, before anything was taken."""


def empty_lifetime() -> NDArray[np.float64]:
    """(2,) the mean of ln(1 + age in seconds) over what was taken, and of how many that is."""
    return np.array([np.log1p(_FIRST_SECONDS), 0.0])


@kernel
def _age(since: int, at: int) -> float:
    """ln(1 + seconds); 0 for what was announced later."""
    return float(np.log1p(max(at - since, 0) / 1_000.0))


@kernel
def learn_lifetime(lifetime: NDArray[np.float64], since: int, at: int) -> None:
    """An item announced at `since` was taken at `at` (UTC ms). Where `at` is 0 no time is meant,
    and below 0 `since` is unknown: then nothing is learned.

    The mean is of logarithms, so that a few very old items, or a clock that is wrong, hardly move
    it.
    """
    if at <= 0 or since < 0:
        return
    lifetime[1] = min(lifetime[1] + 1.0, KEPT_TAKES)
    lifetime[0] += (_age(since, at) - lifetime[0]) / lifetime[1]


@kernel
def read_lifetime(
    lifetime: NDArray[np.float64],
    since: NDArray[np.int64],
    at: int,
    found: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """out: (n,) -ln(1 + age / typical age) of the items `found` at `at` (UTC ms); 0 where no time
    is meant.

    Below the typical age it falls as a share of it, far beyond as the age's logarithm: yesterday is
    far where minutes are typical, and near where years are.
    """
    out[:] = 0.0
    if at <= 0:
        return
    typical = np.exp(lifetime[0]) - 1.0 + 1e-3
    for position in range(len(found)):
        announced = since[found[position]]
        if announced >= 0:
            seconds = max(at - announced, 0) / 1_000.0
            out[position] = -np.log1p(seconds / typical)


def typical_hours(lifetime: NDArray[np.float64]) -> float:
    """The age at which items are typically taken: a geometric mean."""
    return float(np.expm1(lifetime[0]) / 3_600.0)
