"""The quarantine of the learn process: what people decided about it, from `overrides`; what it
holds, onto `quarantine` and into checkpoints.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from numpy.typing import NDArray

from stream.broker.feeds import Broadcast
from stream.chain.overrides.override import Override, stronger
from stream.chain.overrides.record import decode_kept
from stream.chain.publish import Outgoing
from stream.chain.records import BroadcastRecord
from stream.learn.options import LearnOptions
from stream.quarantine.quarantine import Group, Quarantine
from stream.quarantine.state import arrays_of, take_arrays
from upwell.controls import OF_QUARANTINE
from upwell.events import Decision, Topic
from upwell.values import Example

__all__ = ["QUARANTINE_VERSION", "Decided", "HeldBack", "group_record"]

QUARANTINE_VERSION = 1


class Decided:
    """The overrides on what waits, by override_id; of two on one item the stronger holds."""

    def __init__(self) -> None:
        self._standing: dict[str, Override] = {}

    def put(self, records: Sequence[BroadcastRecord]) -> None:
        """Records of `overrides`, in their order. Raises `BrokerError`."""
        for record in records:
            name = (record.key or b"").decode()
            standing = None if record.value is None else decode_kept(record.value).standing
            if standing is not None and standing.decision in OF_QUARANTINE:
                self._standing[name] = standing
            else:
                self._standing.pop(name, None)

    def items(self, now_ms: int) -> dict[Decision, list[str]]:
        """Those that hold now, UTC ms, by what was decided."""
        found: dict[str, Override] = {}
        for one in self._standing.values():
            if one.covers("", (), None, now_ms):
                found[one.item_id] = stronger(one, found.get(one.item_id, one))
        return {
            wanted: [item for item, one in found.items() if one.decision is wanted]
            for wanted in OF_QUARANTINE
        }


class HeldBack:
    """Between what `examples` brings and the learner. Where the quarantine is off, everything is
    learned as it comes.
    """

    def __init__(self, options: LearnOptions) -> None:
        self._options = options
        self._on = options.quarantine != "off"
        self._overrides = Broadcast(options.prefix + Topic.OVERRIDES, options.client)
        self._decided = Decided()
        self._quarantine: Quarantine | None = None
        self._gone: frozenset[str] = frozenset()  # alarms of before that nobody knows any more

    def begin(self, watermark: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]) -> None:
        """From a checkpoint's arrays; where they have no quarantine, empty, behind what the learner
        learned. Raises `ModelError`.
        """
        if self._on:
            one, before = self._options, self._quarantine
            self._quarantine = Quarantine(one.quarantine, one.quarantine_days, watermark)
            take_arrays(self._quarantine, arrays)
            told = self._gone if before is None else self._gone | before.alarmed
            self._gone = told - self._quarantine.alarmed

    def start(self) -> None:
        """Reads what was decided. Raises `BrokerError`."""
        if self._on:
            self._overrides.start()

    def stop(self) -> None:
        if self._on:
            self._overrides.stop()

    def sift(self, examples: Sequence[Example], now_ms: int) -> list[Example]:
        """What is to be learned now: what people released first. Raises `BrokerError`."""
        if self._quarantine is None:
            return list(examples)
        self._decided.put(list(self._overrides.drain()))
        items = self._decided.items(now_ms)
        let_go = self._quarantine.decide(items[Decision.RELEASE], items[Decision.REFUSE])
        return let_go + self._quarantine.sift(examples, now_ms)

    def forget(self, users: Collection[str]) -> None:
        """Holds nothing of them any more."""
        if self._quarantine is not None:
            for user in users:
                self._quarantine.forget(user)

    def records(self, now_ms: int) -> Iterator[Outgoing]:
        """What changed since the last call, for the topic `quarantine`."""
        if self._quarantine is not None:
            for item_id in sorted(self._gone - self._quarantine.alarmed):
                yield group_record(item_id, None)
            self._gone = frozenset()
            for item_id, group in self._quarantine.changes(now_ms).items():
                yield group_record(item_id, group)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a checkpoint."""
        return {} if self._quarantine is None else arrays_of(self._quarantine)

    @property
    def waiting(self) -> bool:
        """Whether something is held."""
        return self._quarantine is not None and len(self._quarantine) > 0

    @property
    def figures(self) -> dict[str, Any]:
        """JSON-ready, for `metrics`; empty without a quarantine."""
        own = self._quarantine
        return (
            {} if own is None else {"waiting": len(own), "items": own.items, "counts": own.counts}
        )


def group_record(item_id: str, group: Group | None) -> Outgoing:
    """One record of the compacted topic `quarantine`; without a value where nothing waits."""
    told = None if group is None else orjson.dumps({"v": QUARANTINE_VERSION, **asdict(group)})
    return Outgoing(Topic.QUARANTINE, item_id.encode(), told or b"", 0, gone=told is None)
