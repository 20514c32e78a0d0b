"""The figures of what the models read: texts of users and of the catalogue, pictures, words that
are not known.
"""

from __future__ import annotations

from stream.metrics.metric import Metric

__all__ = ["READING"]

READING = (
    Metric(
        "user_texts",
        "counter",
        "user_texts.{source}",
        "texts",
        "of searches and reviews, by where their vector came from; `from_memory` are cache hits",
    ),
    Metric(
        "catalogue_texts",
        "counter",
        "catalogue_texts.{source}",
        "texts",
        "of items, by where their vector came from; `from_memory`, `from_disk` are cache hits",
    ),
    Metric(
        "pictures",
        "counter",
        "pictures.{outcome}",
        "pictures",
        "of items that were looked at: `read`, `from_disk`, or why not (docs/pictures.md)",
        seldom=True,
    ),
    Metric("encoded_tokens", "counter", "encoded_tokens", "tokens", "that the model has read"),
    Metric("title_tokens", "counter", "title_tokens", "tokens", "of titles that were looked at"),
    Metric(
        "unknown_title_tokens",
        "counter",
        "unknown_title_tokens",
        "tokens",
        "of these, those that the encoder does not know",
    ),
)
