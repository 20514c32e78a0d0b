"""The numbers of a JSON value, each by its way to it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

__all__ = ["numbers"]


def numbers(value: object, way: str = "") -> Iterator[tuple[str, float]]:
    """All finite ones, as `ndcg10/model/all`; in lists by their place, from 0. What is true or
    false is none.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from numbers(inner, f"{way}/{key}" if way else str(key))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from numbers(inner, f"{way}/{place}" if way else str(place))
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield way, float(value)
