"""Words on encoders over a real broker."""

from __future__ import annotations

from stream.broker.encoders import Lineage, Named, Said, Word
from stream.broker.encoders.topic import read_lineage, say
from stream.broker.topics import ensure_topics
from upwell.client import client_options
from upwell.settings import KafkaSettings

A, B = Named("a", "models/a"), Named("b", "models/b")


def test_what_is_said_is_read_by_whoever_comes_later(kafka: str, prefix: str) -> None:
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    assert read_lineage(client, prefix) == Lineage()  # an engine of before, without the topic
    ensure_topics(prefix, 1, client)
    assert read_lineage(client, prefix) == Lineage()
    words = [
        Said(word=Word.TRIED, encoder=B, before=A, by="guard", at=1, figures={"likeness": 0.9}),
        Said(word=Word.PROMOTED, encoder=B, before=A, by="guard", at=2),
    ]
    for one in words:
        say(client, prefix, one)
    found = read_lineage(client, prefix)
    assert found.said == tuple(words)
    assert found.in_force == B
