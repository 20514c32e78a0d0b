"""What `doctor` says of the catalogue's titles, from what workers wrote on a real topic."""

from __future__ import annotations

import orjson
from kafka import KafkaProducer

from stream.broker.topics import ensure_topics
from stream.ops.titles import LAST, newest_figures, title_line
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

SERVE = {"instance": "serve-0", "role": "serve", "title_tokens": 1_000, "unknown_title_tokens": 50}
LEARN = {"role": "learn"}


def test_the_last_worker_that_counted_titles_is_believed() -> None:
    worse = {**SERVE, "unknown_title_tokens": 333}
    assert title_line([worse, SERVE, LEARN]) == "5.0% of their words unknown"
    assert "33%" in title_line([SERVE, worse, LEARN])
    assert "UPWELL_ENCODER" in title_line([SERVE, worse, LEARN])


def test_nobody_who_counted_is_no_fault() -> None:
    empty = {**SERVE, "title_tokens": 0, "unknown_title_tokens": 0}
    for figures in ([], [LEARN], [empty]):
        assert title_line(figures) == "no worker has counted the catalogue's words lately"


def test_the_newest_records_are_read_and_no_topic_is_none(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(address=kafka, prefix=prefix)
    assert newest_figures(settings) == []
    options = client_options(settings)
    ensure_topics(prefix, 1, options)
    assert newest_figures(settings) == []
    with KafkaProducer(**options) as producer:
        for number in range(LAST + 5):
            figures = orjson.dumps({**SERVE, "at": number})
            producer.send(prefix + Topic.METRICS, value=figures, partition=0)
        producer.send(prefix + Topic.METRICS, value=b"{", partition=0)
    assert [one["at"] for one in newest_figures(settings)] == list(range(6, LAST + 5))
