"""The topics of a use: what apps write and read, and what it notes for itself."""

from __future__ import annotations

from stream.broker.topics import TopicSpec
from stream.uses.port import Use

__all__ = ["use_topics"]


def use_topics(use: Use) -> list[TopicSpec]:
    """For `stream.broker.topics.ensure_topics`. Steps stay until a checkpoint covers them, whatever
    their age.
    """
    shared = [TopicSpec(topic) for topic in (*use.inputs, *use.outputs)]
    return [*shared, TopicSpec(use.steps, single=True, config={"retention.ms": "-1"})]
