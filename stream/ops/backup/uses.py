"""The other uses in a snapshot: the newest checkpoint of each, and, for another broker, from where
on it has not taken its topics in.

A use's checkpoint says where on every topic it ends, so one that is a while old is whole: on the
same broker its own steps tell what was published since (docs/decisions/0060).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from kafka import TopicPartition

from encoders import model_dimension
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.topics import ensure_topics
from stream.chain.effects import Forgotten
from stream.ops.backup.checkpoints import copy_checkpoint
from stream.uses.port import Use
from stream.uses.run import USES, use_folder
from stream.uses.topics import use_topics
from upwell.client import client_options
from upwell.settings import Settings

__all__ = ["copy_uses", "forget_in_uses", "make_topics"]


def copy_uses(settings: Settings, target: Path) -> dict[TopicPartition, int]:
    """The newest checkpoint of each use into the folder of a snapshot, whether or not it runs; of
    each partition that is a use's own, from where on its checkpoint has not taken it in. Raises
    `ModelError`, `OSError`.
    """
    starts: dict[TopicPartition, int] = {}
    for name, home in _homes(settings):
        own = [settings.kafka.prefix + topic for topic in _use(settings, name).inputs]
        numbers = range(settings.kafka.partitions)
        starts |= {TopicPartition(topic, number): 0 for topic in own for number in numbers}
        if checkpoint.latest(home) is not None:
            meta = copy_checkpoint(home, LocalFolder(target / "uses" / name))
            starts |= {
                place: at for place, at in _ends(settings, meta).items() if place.topic in own
            }
    return starts


def make_topics(settings: Settings, records: Collection[str]) -> None:
    """Of the uses to which records of these topics (without prefix) belong. Raises
    `BrokerError`.
    """
    kafka, client = settings.kafka, client_options(settings.kafka)
    for name in USES:
        use = _use(settings, name)
        if not use.inputs.keys().isdisjoint(records):
            ensure_topics(kafka.prefix, kafka.partitions, client, use_topics(use))


def forget_in_uses(settings: Settings, whole: Collection[Forgotten], since: Collection[str]) -> int:
    """Removes from the uses' checkpoints those of whom they had not been told by then; how much
    that was. since: users (pseudonyms) who asked after the snapshot, whose offsets may be of
    another broker. No use may run. Raises `ModelError`.
    """
    gone = 0
    for name, home in _homes(settings) if whole else ():
        newest = checkpoint.latest(home)
        if newest is None:
            continue
        arrays, meta = checkpoint.load(home, newest.name)
        use = _use(settings, name)
        use.restore(arrays, meta["use"])
        told = {f"{topic}-{number}": at for topic, number, at in meta["ends"]}
        late = {one.user for one in whole if one.offset >= told.get(one.source, 0)}
        own = sum(map(use.forget, sorted(late | set(since))))
        if own:
            meta |= {"use": dict(use.meta()), "forgotten": meta["forgotten"] + own}
            checkpoint.save_checkpoint(home, use.arrays(), meta)
            checkpoint.prune(home, keep=1)
        gone += own
    return gone


def _ends(settings: Settings, meta: Mapping[str, Any]) -> dict[TopicPartition, int]:
    prefix = settings.kafka.prefix
    return {TopicPartition(prefix + topic, number): at for topic, number, at in meta["ends"]}


def _homes(settings: Settings) -> Iterator[tuple[str, LocalFolder]]:
    for name in USES:
        home = use_folder(settings, name)
        if home.is_dir():
            yield name, LocalFolder(home)


def _use(settings: Settings, name: str) -> Use:
    return USES[name](settings, model_dimension(settings.encoder.model))
