"""Whether the engine is alive, for a container's health check: `python -m infra.health` ends with 0
when both roles spoke lately.

serve and learn write their figures on the topic `metrics` every second, through the same loops that
do their work, so silence means that one of them is stuck or gone. It reads the newest few records
there and changes nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, time_ns
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from upwell.client import client_options
from upwell.connection import refusal
from upwell.errors import BrokerError, UpwellError
from upwell.events import Topic
from upwell.settings import KafkaSettings, load_settings

__all__ = ["main", "silent_roles"]

ROLES = (b"serve", b"learn")
MAX_SILENCE_MS = 60_000
"""More than a long micro-batch or a checkpoint takes."""
TAIL_RECORDS = 400
READ_SECONDS = 10.0


def silent_roles(spoke: Iterable[tuple[bytes, int]], now_ms: int) -> list[str]:
    """Of (role, when it spoke, UTC ms): the roles that have not spoken lately."""
    lately = {role for role, at_ms in spoke if now_ms - at_ms <= MAX_SILENCE_MS}
    return [role.decode() for role in ROLES if role not in lately]


def main() -> int:
    """Prints one line; the exit code is 0 when all is well."""
    try:
        kafka = load_settings(os.environ, _settings_file()).kafka
        silent = silent_roles(_newest(kafka), time_ns() // 1_000_000)
    except UpwellError as exc:
        sys.stdout.write(f"{exc}\n")
        return exc.exit_code
    except KafkaError as exc:
        sys.stdout.write(
            f"{refusal(client_options(kafka)) or f'metrics cannot be read: {exc!r}'}\n"
        )
        return BrokerError.exit_code
    sys.stdout.write(
        f"silent for {MAX_SILENCE_MS // 1000} s or more: {', '.join(silent)}\n"
        if silent
        else "serve and learn are at work\n"
    )
    return 1 if silent else 0


def _settings_file() -> Path | None:
    file = Path("upwell.toml")
    return file if file.exists() else None


def _newest(kafka: KafkaSettings) -> list[tuple[bytes, int]]:
    """(role, appended at) of the last records on `metrics`, by the broker's clock."""
    consumer = KafkaConsumer(group_id=None, enable_auto_commit=False, **client_options(kafka))
    try:
        partition = TopicPartition(kafka.prefix + Topic.METRICS, 0)
        if not consumer.partitions_for_topic(partition.topic):
            return []
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        start = max(end - TAIL_RECORDS, consumer.beginning_offsets([partition])[partition])
        consumer.seek(partition, start)
        return _read(consumer, partition, start, end)
    finally:
        consumer.close()


def _read(
    consumer: Any, partition: TopicPartition, start: int, end: int
) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []
    deadline = monotonic() + READ_SECONDS
    while start < end and consumer.position(partition) < end and monotonic() < deadline:
        for records in consumer.poll(timeout_ms=200).values():
            found += [(record.key, record.timestamp) for record in records]
    return found


if __name__ == "__main__":
    sys.exit(main())
