"""Offsets that no consumer is given: markers of transactions, and what was aborted. Whether a
record is among them only reading tells.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition

__all__ = ["Gaps"]

POLL_MS = 200
LOOK_SECONDS = 5.0
LOOK_BYTES = 64 << 10
"""Of a partition at once, since one record is looked for."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """No record from `start` up to `end`. record: one stands at `end`."""

    start: int
    end: int
    record: bool


class Gaps:
    """What was read once is not read again, however often it is asked. Raises `KafkaError`."""

    def __init__(self, client: Mapping[str, Any]) -> None:
        self._consumer = KafkaConsumer(
            isolation_level="read_committed",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LOOK_BYTES,
            **client,
        )
        self._known: dict[TopicPartition, _Gap] = {}

    def close(self) -> None:
        self._consumer.close()

    def with_record(
        self, spans: Mapping[TopicPartition, tuple[int, int]]
    ) -> frozenset[TopicPartition]:
        """Those of the partitions that hold a record in their span: from its first offset to
        before its second. Also those where this is not known yet, so many bytes long is the gap:
        the next call goes on from there.
        """
        for partition, (start, end) in spans.items():
            gap = self._known.get(partition)
            if gap is None or not gap.start <= start <= gap.end <= end:
                self._known[partition] = _Gap(start, start, False)
        if unknown := {one for one, span in spans.items() if self._open(one, span[1])}:
            self._read({one: spans[one][1] for one in unknown})
        return frozenset(one for one, (_, end) in spans.items() if self._known[one].end < end)

    def _open(self, partition: TopicPartition, end: int) -> bool:
        gap = self._known[partition]
        return not gap.record and gap.end < end

    def _read(self, ends: Mapping[TopicPartition, int]) -> None:
        """Each up to its first record, or to its end."""
        unread = set(ends)
        self._consumer.assign(list(ends))
        for partition in ends:
            self._consumer.seek(partition, self._known[partition].end)
        deadline = time.monotonic() + LOOK_SECONDS
        while unread and time.monotonic() < deadline:
            polled = self._consumer.poll(timeout_ms=POLL_MS)
            for partition in tuple(unread):
                records = polled.get(partition)
                end = records[0].offset if records else self._consumer.position(partition)
                self._known[partition] = _Gap(self._known[partition].start, end, bool(records))
                if not self._open(partition, ends[partition]):
                    unread.remove(partition)
