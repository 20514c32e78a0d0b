"""The figures of what the models read: texts of users and of the catalogue, pictures, words that
are not known.
"""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["READING"]

ENCODE: tuple[Role, ...] = ("encode",)

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
    Metric(
        "encode_wait_seconds",
        "gauge",
        "encode_waits.{chain}",
        "seconds",
        "that a chain has waited for encode workers (UPWELL_ENCODED_BY), where it does",
        seldom=True,
    ),
    Metric(
        "encoded_texts",
        "counter",
        "encode.texts.{chain}",
        "texts",
        "of serve's chains that an encode worker has answered",
        ENCODE,
    ),
    Metric(
        "encode_unread",
        "counter",
        "encode.unread.{why}",
        "records",
        "that it passed over: no text (`unreadable`), or of another encoder and nobody waits "
        "(`stale`)",
        ENCODE,
    ),
    Metric(
        "encoded_tokens",
        "counter",
        "encoded_tokens",
        "tokens",
        "that the model has read",
        ("serve", *ENCODE),
    ),
    Metric("title_tokens", "counter", "title_tokens", "tokens", "of titles that were looked at"),
    Metric(
        "unknown_title_tokens",
        "counter",
        "unknown_title_tokens",
        "tokens",
        "of these, those that the encoder does not know",
    ),
)
