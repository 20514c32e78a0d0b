"""The topics between serve and encode workers, without the prefix of the settings. They are made
where encode workers encode, and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum

from stream.broker.topics import KEPT_AN_HOUR, TopicSpec

__all__ = ["ENCODE_TOPICS", "EncodeTopic", "group_of"]


class EncodeTopic(StrEnum):
    """TEXTS: what users wrote, scrubbed, which lists wait for. ITEM_TEXTS: of the catalogue, which
    give way. VECTORS: the answers.
    """

    TEXTS = "texts"
    ITEM_TEXTS = "item_texts"
    VECTORS = "vectors"


ENCODE_TOPICS = tuple(TopicSpec(topic, config=KEPT_AN_HOUR) for topic in EncodeTopic)
"""For `stream.broker.topics.ensure_topics`. Nothing is read from them later than it is waited
for.
"""


def group_of(prefix: str, topic: EncodeTopic) -> str:
    """The group of the encode workers that share a topic of texts."""
    return f"{prefix}encode_{topic}"
