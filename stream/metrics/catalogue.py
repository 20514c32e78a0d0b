"""The figures of the learner's catalogue beside its size."""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["CATALOGUE"]

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
