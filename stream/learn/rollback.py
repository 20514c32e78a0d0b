"""An older checkpoint becomes the newest one, by the learner where it runs: `upwell rollback` asks
for it on the data folder's `models`, wherever checkpoints are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer

from learner.release import checkpoint
from learner.release.folder import ModelsFolder
from learner.release.users import without_users
from stream.broker.model_records import Version, rollback_record
from stream.broker.rollback import ERRAND
from upwell.errors import ModelError, SnapshotError
from upwell.system.errands import answer_errand
from upwell.system.offsets import beginnings_of

if TYPE_CHECKING:  # it holds torch, and `upwell run` comes by here
    from stream.learn.topics import Sender

__all__ = ["BEGAN", "make_newest", "newest_afresh", "roll_back_if_asked", "seek", "version_of"]

BEGAN = "began_afresh"
"""In the meta of the checkpoint by which a learner that began afresh takes the place: it is to be
announced as such.
"""


def make_newest(
    folder: ModelsFolder,
    version: str,
    forgotten: Collection[str],
    confirm: Callable[[], None] = lambda: None,
) -> Version:
    """Saves the checkpoint of `version` once more, as the newest, without windows of those who are
    `forgotten` (pseudonyms). confirm: as of `save_checkpoint`.

    Raises `SnapshotError` naming those there are, `ModelError`.
    """
    checkpoint.sweep(folder)
    versions = {
        str(checkpoint.load(folder, one.name)[1].get("version")): one
        for one in reversed(checkpoint.every(folder))
    }
    if (wanted := versions.get(version)) is None:
        known = ", ".join(reversed(versions)) or "none"
        raise SnapshotError(
            f"no checkpoint of version {version} in {folder.address}; there are: {known}"
        )
    arrays, meta = checkpoint.load(folder, wanted.name)
    arrays, _ = without_users(arrays, forgotten)
    return version_of(checkpoint.save_checkpoint(folder, arrays, meta, confirm), meta)


def version_of(saved: checkpoint.Checkpoint, meta: Mapping[str, Any]) -> Version:
    """What `models` says of a checkpoint."""
    return Version(meta["version"], saved.name, saved.sha256, meta["learner"]["watermark"])


def newest_afresh(folder: ModelsFolder) -> tuple[str, str] | None:
    """File and version of the newest checkpoint by which a learner that began afresh took the
    place, of those that are left. Raises `ModelError`.
    """
    for one in checkpoint.every(folder):
        try:
            meta = checkpoint.meta(folder, one.name)
        except ModelError:
            if checkpoint.replaced(folder, one.name):
                continue
            raise
        if meta.get(BEGAN):
            return one.name, str(meta["version"])
    return None


def roll_back_if_asked(home: Path, folder: ModelsFolder, sender: Sender) -> bool:
    """Whether another checkpoint is the newest now, and `models` says so: who learns resumes from
    it. home: where this process is asked. What is wrong with the checkpoints is the answer, and
    ends nothing here. Raises `KafkaError`.
    """
    done = []

    def roll_back(asked: Mapping[str, Any]) -> None:
        version = make_newest(folder, asked["version"], sender.forgotten(), sender.confirm)
        sender.truncate(sender.send(rollback_record(version)))
        done.append(version)

    answer_errand(home, ERRAND, roll_back, (SnapshotError, ModelError))
    return bool(done)


def seek(consumer: KafkaConsumer, positions: Mapping[int, int]) -> None:
    """Reads on from `positions` by partition, from the beginning where none stands."""
    partitions = consumer.assignment()
    starts = beginnings_of(consumer, list(partitions))
    for partition in partitions:
        consumer.seek(partition, max(starts[partition], positions.get(partition.partition, 0)))
