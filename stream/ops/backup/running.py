"""The parts of a snapshot while the engine runs, each as new as the offsets noted before or newer
(docs/decisions/0029).

The checkpoint is immutable and its learner may remove it: then the next one is taken. The embedded
store is copied by serve, its one opener. Of the broker the records are read that another broker
would need: the catalogue, its rules, which encoders made it, and what neither users nor the model's
checkpoint have taken in.
"""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from learner.release.folder import LocalFolder
from stream.broker.connect import models_folder
from stream.broker.feeds import FETCH_BYTES, read_partition
from stream.broker.lag import Lag
from stream.ops.backup.checkpoints import copy_checkpoint
from stream.ops.backup.uses import copy_uses
from upwell.client import client_options
from upwell.errors import BrokerError, SnapshotError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.errands import ask
from upwell.system.lock import try_lock

__all__ = ["RECORDS", "copy_running", "send_records", "topics_of"]

RECORDS = "records.jsonl"
STORE_SECONDS = 600.0
"""That serve is given to copy its store: it may be starting."""
SEND_TIMEOUT_S = 60

Left = Callable[[str, int, bytes | None], bytes | None]
"""Of a record's topic, append time (UTC ms) and value what is sent on, None where nothing."""


def copy_running(settings: Settings, partial: Path, offsets: Mapping[TopicPartition, int]) -> None:
    """Checkpoints, store, key, records, in this order: each is as new as `offsets` or newer, but
    for uses' checkpoints, whose topics are read from where these end. Raises `SnapshotError`.
    """
    try:
        partial.mkdir(parents=True)
        besides = copy_uses(settings, partial)
        meta = copy_checkpoint(models_folder(settings), LocalFolder(partial / "models"))
        if settings.store.kind == "edge" and (settings.data / "store").is_dir():
            copy_store(settings, partial / "store")
        if (settings.data / "key").exists():
            shutil.copy2(settings.data / "key", partial / "key")
        read_records(settings, {**offsets, **besides}, meta.get("positions", {}), partial / RECORDS)
    except OSError as exc:
        raise SnapshotError(
            f"{partial} cannot be written: {exc.strerror}: {exc.filename}; make room, or name "
            "another"
        ) from exc


def copy_store(settings: Settings, target: Path) -> None:
    """Has serve write its embedded store to the folder `target`; copies it where serve does not
    run and others do. Raises `SnapshotError`.
    """
    source = settings.data / "store"
    if (held := try_lock(source / "owner.lock")) is not None:
        try:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("owner.lock"))
        finally:
            os.close(held)
        return
    asked = {"target": str(target.absolute())}
    try:
        error = ask(settings.data / "store", "store-copy", asked, STORE_SECONDS)
    except (TimeoutError, OSError) as exc:
        raise SnapshotError(
            f"serve did not copy its store ({exc}): does it run on this data folder?"
        ) from exc
    if error is not None:
        raise SnapshotError(f"serve cannot copy its store: {error}")


def read_records(
    settings: Settings,
    offsets: Mapping[TopicPartition, int],
    positions: Mapping[str, int],
    path: Path,
) -> None:
    """Writes to `path`, a line each, what another broker would need, up to the ends as they stand.

    offsets: of what is read, from which it goes on. positions: partition of `examples` -> from
    which the checkpoint's learner goes on. Raises `BrokerError`, `OSError`.
    """
    client, prefix = client_options(settings.kafka), settings.kafka.prefix
    try:
        with Lag(client, prefix) as lag, path.open("w", encoding="utf-8") as file:
            topics = (Topic.CATALOGUE, Topic.ENCODERS, Topic.RULES, Topic.OVERRIDES, Topic.AUDIT)
            whole = lag.ends(topics)
            starts = dict.fromkeys(whole, 0) | dict(offsets)
            for partition in lag.ends([Topic.EXAMPLES]):
                starts[partition] = int(positions.get(str(partition.partition), 0))
            for partition, start in starts.items():
                for record in read_partition(client, partition, start):
                    topic = partition.topic.removeprefix(prefix)
                    file.write(json.dumps(_line(topic, record)) + "\n")
    except KafkaError as exc:
        raise BrokerError(f"the topics cannot be read for the snapshot: {exc}") from exc


def topics_of(path: Path) -> set[str]:
    """Of what `read_records` wrote, without the prefix."""
    with path.open(encoding="utf-8") as file:
        return {json.loads(line)["topic"] for line in file}


def send_records(settings: Settings, path: Path, left: Left) -> int:
    """Sends what `read_records` wrote, each to the partition that it stood on; how many. left: of
    topic, append time (UTC ms) and value what is sent of it, None where nothing. Raises
    `BrokerError`.
    """
    try:
        with KafkaProducer(
            acks="all", max_request_size=FETCH_BYTES, **client_options(settings.kafka)
        ) as producer:
            sent = [
                producer.send(settings.kafka.prefix + line.pop("topic"), **line)
                for line in _lines(path, left)
            ]
            for one in sent:
                one.get(timeout=SEND_TIMEOUT_S)
    except KafkaError as exc:
        raise BrokerError(f"the snapshot's records cannot be sent: {exc}") from exc
    return len(sent)


def _line(topic: str, record: Any) -> dict[str, Any]:
    return {
        "topic": topic,
        "partition": record.partition,
        "timestamp_ms": record.timestamp,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers or ()],
    }


def _lines(path: Path, left: Left) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            for name in ("key", "value"):
                line[name] = _bytes(line[name])
            whole = line["value"]
            line["value"] = left(line["topic"], line["timestamp_ms"], whole)
            if whole is not None and line["value"] is None:
                continue
            line["headers"] = [(name, _bytes(value)) for name, value in line["headers"]]
            yield line


def _text(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
