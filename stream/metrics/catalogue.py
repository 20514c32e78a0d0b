"""The figures of the learner's catalogue beside its size, and of what waits in quarantine."""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["CATALOGUE", "QUARANTINE"]

LEARN: tuple[Role, ...] = ("learn",)

CATALOGUE = (
    Metric(
        "unannounced_items",
        "gauge",
        "unannounced.waiting",
        "items",
        "that events name and nobody announced",
        LEARN,
    ),
    Metric(
        "unannounced_forgotten",
        "counter",
        "unannounced.made_room",
        "items",
        "of these that were forgotten for others",
        LEARN,
    ),
    Metric(
        "prices",
        "gauge",
        "prices.{counted:own|bounded|typical}",
        "items",
        "with a price of their own, of these beyond what counts, and without one, with the median "
        "of a category",
        LEARN,
    ),
)
QUARANTINE = (
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
