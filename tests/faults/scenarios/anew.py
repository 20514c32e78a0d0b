"""Topics that are deleted and made again: their offsets begin anew, and events with them."""

from __future__ import annotations

import time

from stream.broker.topics import ensure_topics
from tests.faults.scenarios.surroundings import Stage
from tests.topics import delete_topics
from upwell.events import Topic

__all__ = ["MADE_ANEW", "made_anew_at_rest", "made_anew_at_work"]

MADE_ANEW = (Topic.REVIEWS, Topic.QUERIES, Topic.MODELS, Topic.EXAMPLES)


def made_anew_at_rest(stage: Stage) -> list[float]:
    """While no worker runs, as an upgrade of the cluster or a clean-up would."""
    before, after = stage.parts(2)
    stage.engine.feed(before)
    stage.engine.settle("the first half")
    stage.engine.stop()
    _make_anew(stage)
    stage.engine.feed(after)
    started_ms = time.time_ns() // 1_000_000
    for name in ("serve-0", "learn"):
        stage.engine.start(name)
    return [stage.engine.recovery_seconds("serve", started_ms)]


def made_anew_at_work(stage: Stage) -> list[float]:
    """While both workers run: they notice by themselves."""
    before, after = stage.parts(2)
    stage.engine.feed(before)
    stage.engine.settle("the first half")
    _make_anew(stage)
    struck_ms = time.time_ns() // 1_000_000
    stage.engine.feed(after)
    return [stage.engine.recovery_seconds("serve", struck_ms)]


def _make_anew(stage: Stage) -> None:
    kafka = stage.engine.settings.kafka
    delete_topics(stage.engine.client, [kafka.prefix + topic for topic in MADE_ANEW])
    ensure_topics(kafka.prefix, kafka.partitions, stage.engine.client)
