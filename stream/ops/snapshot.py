"""Snapshot, restore and rollback: everything learned, users, items and offsets, as of one point.
Snapshots and rollbacks also while the engine runs.

Each part carries the offsets that it covers (a user's watermark, a checkpoint's positions, the
group's acknowledged offsets), so what came after the snapshot is worked off once when the engine
starts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.connect import models_folder
from stream.broker.group import rewind
from stream.broker.incarnations import require_topics
from stream.broker.lag import INPUT_TOPICS
from stream.broker.model_records import Version, rollback_record
from stream.broker.rollback import ask_learner
from stream.broker.topics import ensure_topics
from stream.learn.rollback import make_newest, version_of
from stream.ops.backup.bring import PARTS, bring
from stream.ops.backup.erasures import (
    ledger_now,
    owed,
    save_ledger,
    send_erasures,
    still_counts,
)
from stream.ops.backup.fitting import (
    acknowledged,
    beside,
    check_begun,
    check_held,
    check_same,
    is_another,
    nothing,
    topic_ids,
)
from stream.ops.backup.held import ENGINE, broker, one_at_a_time, runs, stopped
from stream.ops.backup.running import RECORDS, copy_running, send_records, topics_of
from stream.ops.backup.uses import make_topics
from stream.ops.on_record import Asked, unasked
from stream.ops.snapshot_files import (
    copy_files,
    copy_models,
    digests,
    read_manifest,
    write_manifest,
)
from stream.replay.progress import Moved, unwatched
from stream.uses.run import USES
from upwell.client import client_options
from upwell.errors import BrokerError, SnapshotError
from upwell.events import Topic
from upwell.settings import Settings

__all__ = ["restore", "rollback", "snapshot"]

WORKERS = (*ENGINE, *(f"uses/{name}" for name in USES))
"""Parts of a data folder whose worker holds a lock."""
NEVER = frozenset({"owner.lock", "lock", "broker.log", "broker.log.1", "ports.json"})
SEND_TIMEOUT_S = 60
LEARN_SECONDS = 120.0
"""That learn is given to go back: it may be starting."""

Say = Callable[[str], None]


def snapshot(
    settings: Settings, folder: Path, say: Say, moved: Moved = unwatched
) -> dict[str, Any]:
    """Write all to the new `folder`, whole or not at all; what was written, JSON-ready. moved: is
    told of what was copied. Raises `SnapshotError`, `BrokerError`.
    """
    if folder.exists():
        raise SnapshotError(f"{folder} is there already: name a new folder")
    check_begun(settings)
    partial = folder.with_name(folder.name + ".partial")
    with one_at_a_time(settings):
        shutil.rmtree(partial, ignore_errors=True)
        running = runs(settings, WORKERS)
        with broker(settings, say) as found:
            require_topics(client_options(found.kafka), found.kafka.prefix, INPUT_TOPICS)
            offsets, topics, ledger = acknowledged(found), topic_ids(found), ledger_now(found)
            if running:
                copy_running(found, partial, offsets)
        if running:
            files = digests(partial)
        else:
            with stopped(settings, WORKERS):
                parts = PARTS if settings.kafka.address is not None else (*PARTS, "kafka")
                files = copy_files(settings.data, partial, parts, NEVER, moved)
                if settings.models is not None:
                    files |= copy_models(models_folder(settings), LocalFolder(partial / "models"))
    if not files:
        shutil.rmtree(partial, ignore_errors=True)
        raise nothing(settings)
    files |= save_ledger(partial, ledger)
    write_manifest(
        partial,
        {
            **_identity(settings),
            "own_broker": settings.kafka.address is None,
            "running": running,
            "offsets": [
                [partition.topic, partition.partition, offset]
                for partition, offset in offsets.items()
            ],
            "topics": topics,
        },
        files,
    )
    partial.rename(folder)
    size = sum((folder / name).stat().st_size for name in files)
    if (left := beside(settings)) is not None:
        say(left)
    say(f"{len(files)} files, {size >> 20} MB, in {folder}")
    return {
        "folder": str(folder),
        "files": len(files),
        "bytes": size,
        "running": running,
        "beside": left,
    }


def restore(
    settings: Settings,
    folder: Path,
    say: Say,
    moved: Moved = unwatched,
    erasures: Sequence[Path] | None = None,
) -> dict[str, Any]:
    """Bring a snapshot into an empty data folder, without those who were forgotten since; what was
    restored, JSON-ready. moved: is told of what was checked, then of what was copied. erasures: as
    of `owed`.

    Raises `SnapshotError`, and then nothing is restored.
    """
    manifest = read_manifest(folder, moved)
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
    running = manifest.get("running", False)
    if not running and manifest["own_broker"] != (settings.kafka.address is None):
        made = (
            "with a broker of its own, which is in it: unset UPWELL_KAFKA"
            if manifest["own_broker"]
            else "on a broker that UPWELL_KAFKA named: set it"
        )
        raise SnapshotError(f"the snapshot was made {made}")
    offsets = {
        TopicPartition(topic, number): offset for topic, number, offset in manifest["offsets"]
    }
    elsewhere = running and is_another(settings, manifest["topics"])
    if settings.kafka.address is not None and not elsewhere:
        check_same(settings, manifest.get("topics", {}))
        check_held(settings, offsets)
    same_broker = settings.kafka.address is not None and not elsewhere
    due = owed(settings, folder, erasures, same_broker)
    copied, again = bring(settings, folder, manifest["files"], due, moved)
    if settings.models is not None:
        copy_models(LocalFolder(settings.data / "models"), models_folder(settings))
    newest = checkpoint.latest(models_folder(settings))
    records = 0
    if elsewhere:
        with broker(settings, say) as found:
            ensure_topics(found.kafka.prefix, found.kafka.partitions, client_options(found.kafka))
            make_topics(found, topics_of(folder / RECORDS))
            records = send_records(found, folder / RECORDS, still_counts(settings, due))
            say(f"{records} records sent to the other broker")
            send_erasures(found, due)
    elif not same_broker:
        if due.since:
            with broker(settings, say) as found:
                send_erasures(found, due)
    else:
        send_erasures(settings, due)
        rewind(client_options(settings.kafka), settings.kafka.prefix, offsets)
        if newest is not None:
            _, meta = checkpoint.load(models_folder(settings), newest.name)
            _announce(settings, version_of(newest, meta))
    if (left := beside(settings)) is not None:
        say(left)
    if due.since:
        say(f"forgotten since the snapshot, and forgotten again: {again}")
    say(f"{len(copied)} files restored to {settings.data}; `upwell run` goes on from there")
    return {
        "data": str(settings.data),
        "files": len(copied),
        "records": records,
        "beside": left,
        "forgotten_again": again,
    }


def rollback(settings: Settings, version: str, say: Say, asked: Asked = unasked) -> None:
    """Make an older checkpoint the newest one, and say so on `models`. asked: puts on the record,
    before anything is done, that it was asked for.

    Raises `ModelError` or `SnapshotError` naming those there are.
    """
    check_begun(settings)
    if runs(settings):
        asked(settings)
        ask_learner(settings.data / "models", version, LEARN_SECONDS)
    else:
        with stopped(settings), broker(settings, say) as running:
            require_topics(client_options(running.kafka), running.kafka.prefix, [Topic.MODELS])
            asked(running)
            forgotten = ledger_now(running)
            _announce(running, make_newest(models_folder(settings), version, forgotten))
    say(f"version {version} is the newest now; what came after it is learned again")


def _identity(settings: Settings) -> dict[str, Any]:
    """What must be the same where a snapshot is restored."""
    return {
        "prefix": settings.kafka.prefix,
        "partitions": settings.kafka.partitions,
        "encoder": settings.encoder.model,
        "store": settings.store.kind,
    }


def _announce(settings: Settings, version: Version) -> None:
    """Says on `models` that replicas start from this checkpoint, and cuts off what stood before."""
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
