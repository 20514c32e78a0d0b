"""An older checkpoint becomes the newest one, by the learner where it runs: `upwell rollback` asks
for it on the models' folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer

from learner.release import checkpoint
from stream.broker.model_records import Version, rollback_record
from stream.learn.topics import Sender
from upwell.errors import SnapshotError
from upwell.system.errands import answer_errand

__all__ = ["ERRAND", "make_newest", "roll_back_if_asked", "seek"]

ERRAND = "rollback"


def make_newest(folder: Path, version: str) -> Version:
    """Saves the checkpoint of `version` once more, as the newest.

    Raises `SnapshotError` naming those there are, `ModelError`.
    """
    checkpoint.sweep(folder)
    versions = {
        str(checkpoint.load(one.path)[1].get("version")): one
        for one in reversed(checkpoint.every(folder))
    }
    if (wanted := versions.get(version)) is None:
        known = ", ".join(reversed(versions)) or "none"
        raise SnapshotError(f"no checkpoint of version {version} in {folder}; there are: {known}")
    arrays, meta = checkpoint.load(wanted.path)
    saved = checkpoint.save_checkpoint(folder, arrays, meta)
    return Version(meta["version"], saved.path.name, saved.sha256, meta["learner"]["watermark"])


def roll_back_if_asked(folder: Path, sender: Sender) -> bool:
    """Whether another checkpoint is the newest now, and `models` says so: who learns resumes from
    it. Raises `KafkaError`.
    """
    done = []

    def roll_back(asked: Mapping[str, Any]) -> None:
        version = make_newest(folder, asked["version"])
        sender.confirm()
        sender.truncate(sender.send(rollback_record(version)))
        done.append(version)

    answer_errand(folder, ERRAND, roll_back, SnapshotError)
    return bool(done)


def seek(consumer: KafkaConsumer, positions: Mapping[int, int]) -> None:
    """Reads on from `positions` by partition, from the beginning where none stands."""
    partitions = consumer.assignment()
    starts = consumer.beginning_offsets(list(partitions))
    for partition in partitions:
        consumer.seek(partition, max(starts[partition], positions.get(partition.partition, 0)))
