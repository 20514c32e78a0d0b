"""Quantiles of what fell into a histogram's buckets (`stream.metrics.histogram`) between two looks,
as Prometheus' `histogram_quantile` reckons them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Buckets", "between", "count_of", "joined", "quantile"]

Buckets = Mapping[str, float]
"""By upper bound how many were at most so much; the last bound, `+Inf`, has all."""


def between(earlier: Mapping[str, Any] | None, later: Mapping[str, Any]) -> Buckets:
    """Of two reports of a histogram what came in between. Where the later counts less, its worker
    has started anew: all of it came since.
    """
    now: Buckets = later["buckets"]
    before: Buckets = earlier["buckets"] if earlier is not None else {}
    if count_of(before) > count_of(now):
        return now
    return {bound: count - before.get(bound, 0) for bound, count in now.items()}


def joined(several: Iterable[Buckets]) -> Buckets:
    """Of several workers one."""
    total: dict[str, float] = {}
    for one in several:
        for bound, count in one.items():
            total[bound] = total.get(bound, 0) + count
    return total


def count_of(buckets: Buckets) -> float:
    """How many there were."""
    return buckets.get("+Inf", 0)


def quantile(buckets: Buckets, share: float) -> float | None:
    """The value that `share` of all were at most, evenly spread within a bucket; of what lies above
    the last bound that bound. None where there was nothing.
    """
    wanted, below, lower = share * count_of(buckets), 0.0, 0.0
    if not count_of(buckets):
        return None
    for name, count in sorted(buckets.items(), key=lambda row: float(row[0])):
        upper = float(name)
        if count >= wanted and count > below:
            if math.isinf(upper):
                return lower
            return lower + (upper - lower) * (wanted - below) / (count - below)
        below, lower = count, lower if math.isinf(upper) else upper
    return lower
