"""The learn process on the real broker: what it does where a topic is not the one it read.

tests/e2e and tests/faults run and kill it whole.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaProducer

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.broker.topics import ensure_topics
from stream.chain.wire import encode_examples
from stream.learn.loop import LOOK_MS, LearnLoop
from stream.learn.options import LearnOptions
from tests.learner.counted import item_events
from tests.learner.training.small import DIMENSION, SETTINGS, log
from tests.topics import delete_topics
from upwell.client import client_options
from upwell.errors import BrokerError
from upwell.events import Topic
from upwell.settings import KafkaSettings


class Clock:
    """Stands still until it is told to jump."""

    def __init__(self) -> None:
        self.now_ms = 2_000_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.mark.parametrize("anew", [Topic.EXAMPLES, Topic.DEAD_LETTERS])
def test_what_was_learned_of_a_topic_that_is_made_anew_is_saved_before_it_ends(
    kafka: str, prefix: str, tmp_path: Path, anew: Topic
) -> None:
    client = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, client)
    examples, _ = log(60)
    with KafkaProducer(acks="all", **client) as producer:
        producer.send(prefix + Topic.EXAMPLES, value=encode_examples(examples), partition=0)
    options = LearnOptions(
        prefix=prefix,
        home=tmp_path,
        folder=LocalFolder(tmp_path),
        engine="test",
        publish_ms=LOOK_MS * 10,  # nothing but the look is due
        checkpoint_examples=1_000_000,
        client=client,
    )
    learner = Learner(replace(SETTINGS, fused=False), DIMENSION, 7)
    clock = Clock()
    loop = LearnLoop(learner, options, clock)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            loop.run()
        except BrokerError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    while sum(item_events(learner).values()) < len(examples):
        thread.join(0.05)
        assert thread.is_alive()
    assert checkpoint.latest(options.folder) is None
    delete_topics(client, [prefix + anew])
    ensure_topics(prefix, 1, client)
    clock.now_ms += LOOK_MS
    thread.join(60)
    assert f"{anew} was made anew" in str(raised[0])
    newest = checkpoint.latest(options.folder)
    assert newest is not None
    arrays, meta = checkpoint.load(options.folder, newest.name)
    saved = Learner(learner.settings, DIMENSION, 7)
    saved.restore(arrays, meta["learner"])
    assert item_events(saved) == item_events(learner)
