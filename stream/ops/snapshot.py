"""Snapshot, restore and rollback: everything learned, users, items and offsets, as of one point.
All with the engine stopped.

Each part carries the offsets that it covers (a user's watermark, a checkpoint's positions, the
group's acknowledged offsets), so what came after the snapshot is worked off once when the engine
starts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from infra.kafka import KafkaBroker
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.connect import models_folder
from stream.broker.group import rewind, serve_group
from stream.broker.incarnations import incarnations_of
from stream.broker.lag import INPUT_TOPICS, Lag
from stream.broker.model_records import Version, rollback_record
from stream.ops.snapshot_files import copy_files, copy_models, read_manifest, write_manifest
from upwell.client import client_options, find_broker
from upwell.errors import BrokerError, SnapshotError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.lock import try_lock

__all__ = ["restore", "rollback", "snapshot"]

PARTS = ("models", "store", "key")
NEVER = frozenset({"owner.lock", "lock", "broker.log", "broker.log.1", "ports.json"})
SEND_TIMEOUT_S = 60
SERVER_STORE = (
    "the store is a Qdrant server: it is not part of the snapshot. Snapshot its "
    "collections {0}_users and {0}_items while the engine "
    "is stopped (POST {1}/collections/NAME/snapshots), and recover them before you restore "
    "(PUT {1}/collections/NAME/snapshots/recover)"
)

Say = Callable[[str], None]


def snapshot(settings: Settings, folder: Path, say: Say) -> None:
    """Write all to the new `folder`, whole or not at all. Raises `SnapshotError`, `BrokerError`."""
    if folder.exists():
        raise SnapshotError(f"{folder} is there already: name a new folder")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with stopped(settings):
        with (
            _broker(settings, say) as running,
            Lag(client_options(running.kafka), running.kafka.prefix) as lag,
        ):
            offsets = [
                [partition.topic, partition.partition, offset]
                for partition, offset in lag.acknowledged().items()
            ]
            topics = _topic_ids(running)
        parts = PARTS if settings.kafka.address is not None else (*PARTS, "kafka")
        files = copy_files(settings.data, partial, parts, NEVER)
        if settings.models is not None:
            files |= copy_models(models_folder(settings), LocalFolder(partial / "models"))
    if not files:
        shutil.rmtree(partial, ignore_errors=True)
        raise SnapshotError(
            f"{settings.data} holds nothing yet: run the engine first, or set UPWELL_DATA"
        )
    write_manifest(
        partial,
        {
            **_identity(settings),
            "own_broker": settings.kafka.address is None,
            "offsets": offsets,
            "topics": topics,
        },
        files,
    )
    partial.rename(folder)
    if settings.store.kind == "server":
        say(SERVER_STORE.format(_collections(settings), settings.store.url))
    say(
        f"{len(files)} files, {sum((folder / name).stat().st_size for name in files) >> 20} "
        f"MB, in {folder}"
    )


def restore(settings: Settings, folder: Path, say: Say) -> None:
    """Bring a snapshot into an empty data folder.

    Raises `SnapshotError`, and then nothing is restored.
    """
    manifest = read_manifest(folder)
    if settings.models is not None and checkpoint.latest(models_folder(settings)) is not None:
        raise SnapshotError(
            f"{settings.models} is not empty: set UPWELL_MODELS to a new place, or move the "
            "checkpoints away"
        )
    there = [part for part in (*PARTS, "kafka") if (settings.data / part).exists()]
    if there:
        raise SnapshotError(
            f"{settings.data} is not empty ({', '.join(there)}): set UPWELL_DATA to a new "
            "folder, or move the old one away"
        )
    for name, own in _identity(settings).items():
        if manifest[name] != own:
            raise SnapshotError(
                f"the snapshot was made with {name} {manifest[name]!r}, the settings say "
                f"{own!r}: set what it was made with"
            )
    if manifest["own_broker"] != (settings.kafka.address is None):
        made = (
            "with a broker of its own, which is in it: unset UPWELL_KAFKA"
            if manifest["own_broker"]
            else "on a broker that UPWELL_KAFKA named: set it"
        )
        raise SnapshotError(f"the snapshot was made {made}")
    offsets = {
        TopicPartition(topic, number): offset for topic, number, offset in manifest["offsets"]
    }
    if settings.kafka.address is not None:
        _check_same(settings, manifest.get("topics", {}))
        _check_held(settings, offsets)
    settings.data.mkdir(parents=True, exist_ok=True)
    copied = copy_files(folder, settings.data, (*PARTS, "kafka"), frozenset())
    if copied != manifest["files"]:
        raise SnapshotError(
            f"{settings.data} is not what stands in {folder}: remove it, look at its disk "
            "and restore again"
        )
    if settings.models is not None:
        copy_models(LocalFolder(settings.data / "models"), models_folder(settings))
    newest = checkpoint.latest(models_folder(settings))
    if settings.kafka.address is not None:
        rewind(client_options(settings.kafka), settings.kafka.prefix, offsets)
        if newest is not None:
            _announce(settings, newest)
    if settings.store.kind == "server":
        say(SERVER_STORE.format(_collections(settings), settings.store.url))
    say(f"{len(copied)} files restored to {settings.data}; `upwell run` goes on from there")


def rollback(settings: Settings, version: str, say: Say) -> None:
    """Make an older checkpoint the newest one, and say so on `models`.

    Raises `ModelError` or `SnapshotError` naming those there are.
    """
    folder = models_folder(settings)
    with stopped(settings), _broker(settings, say) as running:
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
        _announce(running, checkpoint.save_checkpoint(folder, arrays, meta))
        say(f"version {version} is the newest now; `upwell run` learns again what came after it")


@contextmanager
def stopped(settings: Settings) -> Iterator[None]:
    """Holds the locks that a worker takes.

    Raises `SnapshotError` where one runs on this data folder.
    """
    with ExitStack() as stack:
        for part in ("models", "store"):
            path = settings.data / part / "owner.lock"
            if not path.parent.is_dir():
                continue
            held = try_lock(path)
            if held is None:
                raise SnapshotError(f"a worker runs on {path.parent}: stop the engine first")
            stack.callback(os.close, held)
        yield


@contextmanager
def _broker(settings: Settings, say: Say) -> Iterator[Settings]:
    """The settings with the address of a broker that answers; one on the data folder is started for
    as long as this needs it.
    """
    if settings.kafka.address is not None or (settings.data / "broker.json").exists():
        yield replace(settings, kafka=replace(settings.kafka, address=find_broker(settings)))
        return
    say("starting Apache Kafka on the data folder ...")
    with KafkaBroker(settings.data / "kafka") as broker:
        yield replace(settings, kafka=replace(settings.kafka, address=broker.address))


def _identity(settings: Settings) -> dict[str, Any]:
    """What must be the same where a snapshot is restored."""
    return {
        "prefix": settings.kafka.prefix,
        "partitions": settings.kafka.partitions,
        "encoder": settings.encoder.model,
        "store": settings.store.kind,
    }


def _collections(settings: Settings) -> str:
    return settings.kafka.prefix.rstrip(".") or "upwell"


def _topic_ids(settings: Settings) -> dict[str, str]:
    """By name: which topics they are whose offsets the snapshot holds."""
    prefix = settings.kafka.prefix
    topics = (*INPUT_TOPICS, Topic.EXAMPLES)
    found = incarnations_of(client_options(settings.kafka), prefix, topics)
    return {prefix + topic: incarnation for topic, incarnation in found.items()}


def _check_same(settings: Settings, topics: Mapping[str, str]) -> None:
    """Raises `SnapshotError` where a topic was made anew since; `topics`: as they were."""
    now = _topic_ids(settings)
    other = [name for name, incarnation in topics.items() if now.get(name, "") != incarnation]
    if other:
        raise SnapshotError(
            f"{', '.join(other)}: not the topics that the snapshot was made on (made anew, or "
            "of another broker): its offsets mean nothing there; use the broker it was made on, or "
            "start afresh and replay"
        )


def _check_held(settings: Settings, offsets: Mapping[TopicPartition, int]) -> None:
    """Raises `SnapshotError` where the broker does not hold what came after these offsets."""
    with serve_group(client_options(settings.kafka), settings.kafka.prefix) as consumer:
        ends, starts = (
            consumer.end_offsets(list(offsets)),
            consumer.beginning_offsets(list(offsets)),
        )
    for partition, offset in offsets.items():
        if not starts[partition] <= offset <= ends[partition]:
            raise SnapshotError(
                f"the snapshot goes on from offset {offset} of "
                f"{partition.topic}-{partition.partition}, the broker holds "
                f"{starts[partition]} to {ends[partition]}: use the broker it was made on, "
                "and none older than the topics' retention"
            )


def _announce(settings: Settings, newest: checkpoint.Checkpoint) -> None:
    """Says on `models` that replicas start from this checkpoint, and cuts off what stood before."""
    _, meta = checkpoint.load(models_folder(settings), newest.name)
    version = Version(meta["version"], newest.name, newest.sha256, meta["learner"]["watermark"])
    one, options = rollback_record(version), client_options(settings.kafka)
    topic = settings.kafka.prefix + Topic.MODELS
    try:
        with KafkaProducer(acks="all", **options) as producer:
            sent = producer.send(
                topic, value=one.value, partition=0, headers=list(one.headers)
            ).get(timeout=SEND_TIMEOUT_S)
        admin = KafkaAdminClient(**options)
        try:
            admin.delete_records({TopicPartition(topic, 0): sent.offset})
        finally:
            admin.close()
    except KafkaError as exc:
        raise BrokerError(
            f"topic {topic}: the rollback cannot be announced: {exc}; were the topics made?"
        ) from exc
