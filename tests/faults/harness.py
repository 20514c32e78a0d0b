"""What all rows are played with: the settings of their workers, and how long one waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from upwell.settings import KafkaSettings, LearnerSettings, Settings, StoreSettings, StreamSettings

__all__ = ["DEADLINE_SECONDS", "harness_settings", "wait_until"]

DEADLINE_SECONDS = 90.0
TICK_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Poll until `condition` holds; fail with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(TICK_SECONDS)


def harness_settings(kafka: str, prefix: str, folder: Path) -> Settings:
    """Small batches, frequent deltas and checkpoints, so that a kill has much to hit.

    The fused model trains every few examples, so that deltas and checkpoints carry it.
    """
    return Settings(
        kafka=KafkaSettings(address=kafka, prefix=prefix),
        stream=StreamSettings(batch_events=64),
        learner=LearnerSettings(fused_every=16, publish_ms=100, checkpoint_examples=20),
        store=StoreSettings(),
        data=folder,
    )
