"""A second engine on the same topics: one that comes while the first works, and one that takes over
while the first stands still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kafka import KafkaConsumer, TopicPartition

from stream.learn.lock import LearnerLock
from stream.replay.log import LogRecord
from tests.faults.scenarios.surroundings import Stage
from tests.faults.worker import start_worker
from upwell.events import Topic
from upwell.system.clock import now_ms

__all__ = ["COMES", "TAKES_OVER", "two_engines"]

COMES = 2
TAKES_OVER = 2


def two_engines(stage: Stage) -> list[float]:
    """A second learner on a data folder of its own is refused; then the first one stands still for
    longer than its session, another holds the lock, and the first writes nothing from then on.
    """
    parts = stage.parts(COMES + TAKES_OVER)
    for number, part in enumerate(parts[:COMES]):
        stage.engine.feed(part)
        _refused(stage, number)
    return [_overtaken(stage, part) for part in parts[COMES:]]


def _refused(stage: Stage, number: int) -> None:
    """The first goes on in the meantime: it is not tended, and may not fall."""
    data = stage.engine.settings.data / f"second-{number}"
    data.mkdir()
    own = replace(stage.engine.settings, data=data)
    second = start_worker("learn", own, data / "learn.log", alone=True)
    second.join()
    said = (data / "learn.log").read_text()
    assert "another engine (" in said, f"the second learner was not refused: {said[-500:]}"
    assert not stage.engine.fallen("learn"), "the first fell as the second came"


def _overtaken(stage: Stage, part: Sequence[LogRecord]) -> float:
    """Paused where it has nothing to write: between the broker's word and a write it would."""
    engine, prefix = stage.engine, stage.engine.settings.kafka.prefix
    engine.settle("what came before the pause")
    falls = engine.falls["learn"]
    engine.pause("learn")
    other = LearnerLock(engine.client, prefix, "other")
    try:
        engine.feed(part)
        other.take()
        written = _models_end(stage)
        engine.resume("learn")

        def fell() -> bool:
            other.keep()
            return engine.falls["learn"] > falls

        engine.wait(fell, "the first to find the lock lost")
        assert _models_end(stage) == written, "one that had lost the lock wrote to models"
    finally:
        other.release()
    released_ms = now_ms()
    return engine.recovery_seconds("learn", released_ms)


def _models_end(stage: Stage) -> int:
    models = TopicPartition(stage.engine.settings.kafka.prefix + Topic.MODELS, 0)
    consumer = KafkaConsumer(**stage.engine.client)
    try:
        return int(consumer.end_offsets([models])[models])
    finally:
        consumer.close()
