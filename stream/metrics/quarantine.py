"""What learn's records say of the quarantine, where there is one."""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["QUARANTINE"]

LEARN: tuple[Role, ...] = ("learn",)
QUARANTINE: tuple[Metric, ...] = (
    Metric(
        "quarantine_waiting",
        "gauge",
        "quarantine.waiting",
        "examples",
        "that wait and teach nothing until their users have a past (docs/attacks.md)",
        LEARN,
        seldom=True,
    ),
    Metric(
        "quarantine_items",
        "gauge",
        "quarantine.items",
        "items",
        "that newcomers liked in a burst, and for which something waits",
        LEARN,
        seldom=True,
    ),
    Metric(
        "quarantine_examples",
        "counter",
        "quarantine.counts.{fate}",
        "examples",
        "that were held, and of these released or dropped",
        LEARN,
        seldom=True,
    ),
)
