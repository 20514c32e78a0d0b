"""The watch's client beside the watch's topics, on real Kafka."""

from __future__ import annotations

from contextlib import closing

import orjson
import pytest
from kafka import KafkaProducer

from learner.watch.options import Options
from stream.broker.topics import ensure_topics
from stream.uses.topics import use_topics
from stream.uses.watch import OpinionWatch
from upwell.client import client_options
from upwell.errors import InvalidEventError
from upwell.reader import TopicReader
from upwell.settings import KafkaSettings
from upwell.uses.tables import SHAPES
from upwell.uses.topics import UseTopic
from upwell.uses.watch import Alert, Quoted
from upwell.uses.watch_client import WatchClient


def test_posts_go_out_and_alerts_come_in(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(address=kafka, prefix=prefix)
    options = client_options(settings)
    ensure_topics(prefix, 2, options, use_topics(OpinionWatch(8, Options())))
    alert = Alert(
        alert_id="a1",
        ts=1_700_000_000_000,
        update=0,
        kind="burst",
        topic=3,
        name="train late",
        was=0.1,
        now=0.4,
        low=0.3,
        high=0.5,
        since=1_700_000_000_000,
        posts=(Quoted(post_id="p", text="late"),),
    )
    with WatchClient(kafka, settings) as watch:
        posted = watch.post("the train is late", user_id="ann", sentiment=-0.5)
        seen = watch.acknowledge("a1", by="eve")
        watch.flush()
        alerts = watch.alerts(timeout=30)
        with closing(KafkaProducer(acks="all", **options)) as producer:
            topic = prefix + UseTopic.ALERTS
            producer.send(topic, key=b"a1", value=orjson.dumps(alert)).get(timeout=30)
        assert next(alerts) == alert
        for topic, said in ((UseTopic.POSTS, posted), (UseTopic.ACKNOWLEDGEMENTS, seen)):
            reader = TopicReader(prefix + topic, options, from_beginning=True)
            raw = next(reader.values(30))
            reader.close()
            assert SHAPES[topic].read(orjson.loads(raw), said.ts) == said
        with pytest.raises(InvalidEventError):
            watch.post("hm", sentiment=2.0)
