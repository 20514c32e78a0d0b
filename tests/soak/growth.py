"""How fast a figure grows: the median of the slopes between any two samples (Theil, 1950; Sen,
1968), so that a sample taken in the middle of a checkpoint or before a collection changes little.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

__all__ = ["LEAST_MINUTES", "Judged", "judged", "slope_per_hour"]

LEAST_MINUTES = 20.0
"""That must follow the time to settle: over less an hour's growth is a guess."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one figure: first and last after the time to settle, growth an hour, what it may be, and
    whether it is less; None where the run was too short to tell.
    """

    first: float
    last: float
    per_hour: float
    bound: float
    holds: bool | None


def slope_per_hour(minutes: Sequence[float], values: Sequence[float]) -> float:
    """The median of all pairs' slopes; 0 of fewer than two samples. minutes: rising."""
    pairs = combinations(zip(minutes, values, strict=True), 2)
    slopes = [60.0 * (later - one) / (after - before) for (before, one), (after, later) in pairs]
    return statistics.median(slopes) if slopes else 0.0


def judged(
    samples: Sequence[Mapping[str, float]], bounds: Mapping[str, float], settle: float
) -> dict[str, Judged]:
    """Of each figure that has a bound. samples: with `minute`. settle: minutes that do not count,
    while caches fill. Raises `ValueError` where no sample is left.
    """
    counted = [one for one in samples if one["minute"] >= settle]
    if not counted:
        raise ValueError(f"no sample after {settle:g} minutes")
    minutes = [one["minute"] for one in counted]
    long_enough = minutes[-1] - minutes[0] >= LEAST_MINUTES
    found = {}
    for name, bound in bounds.items():
        values = [one[name] for one in counted]
        growth = slope_per_hour(minutes, values)
        holds = growth <= bound if long_enough else None
        found[name] = Judged(values[0], values[-1], growth, bound, holds)
    return found
