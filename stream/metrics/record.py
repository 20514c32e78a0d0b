"""A worker's record on the topic `metrics`, read by whoever looks from outside: by the names of the
registry, so that a figure stands in one place. It computes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from stream.metrics.metric import leaves
from stream.metrics.registry import METRICS

__all__ = ["parse_record", "told"]

_BY_NAME = {one.name: one for one in METRICS}


def parse_record(value: bytes) -> dict[str, Any] | None:
    """The record of a worker that says its name (`instance`), its `role` and when (`at`, UTC ms);
    None of anything else.
    """
    try:
        one = orjson.loads(value)
        told = one["instance"], one["role"], one["at"]
    except (ValueError, LookupError, TypeError):
        return None
    return one if [type(part) for part in told] == [str, str, int] else None


def told(record: Mapping[str, Any], name: str) -> dict[tuple[str, ...], Any]:
    """What a record says of the figure `name` (of the registry, without `upwell_`), by its labels,
    in the registry's unit; empty where it says nothing.
    """
    metric = _BY_NAME[name]
    return {
        labels: value if metric.kind == "histogram" else value * metric.scale
        for labels, value in leaves(record, metric.path)
    }
