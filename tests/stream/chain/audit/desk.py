"""A desk over topics that are lists: what it publishes stands there, and a new desk reads it."""

from __future__ import annotations

import json
from typing import Any

from stream.broker.topics import partition_of, partitioner
from stream.chain.audit.desk import Desk, Rules
from stream.chain.audit.entry import AuditEntry
from stream.chain.audit.journal import Stood
from stream.chain.audit.verify import Fault, Verifier
from stream.chain.effects import Decided
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.record import decode_kept
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import Record, decode_records
from upwell.events import Topic

__all__ = ["NOW_MS", "Board", "home", "value_of"]

NOW_MS = 1_800_000_000_000
PARTITIONS = 4
PSEUDONYMIZER = Pseudonymizer(bytes(32))
OVERRIDE = {"kind": "override", "item_id": "i", "decision": "ban"}


def home(key: str) -> int:
    """The partition of a key."""
    return partition_of(key.encode(), PARTITIONS)


def value_of(kind: str, override_id: str = "o", **more: Any) -> dict[str, Any]:
    """Of a control; an override is a ban of item i, unless told otherwise."""
    own = OVERRIDE if kind == "override" else {"kind": kind}
    return {"by": "ann", "why": "season", "override_id": override_id, **own, **more}


class Board:
    """The topics `controls`, `audit` and `overrides`. approvals: as the setting."""

    def __init__(self, approvals: int = 0) -> None:
        self.approvals = approvals
        self.controls: list[Record] = []
        self.audit: list[tuple[int, bytes]] = []
        self.overrides: dict[int, dict[str, Kept]] = {}
        self.desk = self.new_desk()

    def new_desk(self) -> Desk:
        """Of a worker that starts now."""
        return Desk(
            Rules(self.approvals, PSEUDONYMIZER.pseudonym, partitioner(PARTITIONS), self.stood)
        )

    def stood(self, partition: int) -> Stood:
        entries = [AuditEntry.read(value) for at, value in self.audit if at == partition]
        return Stood(dict(self.overrides.get(partition, {})), tuple(entries))

    def record(self, value: dict[str, Any], partition: int | None = None) -> Record:
        """The next record of `controls`."""
        offset = len(self.controls)
        full = {"event_id": f"c{offset}", "ts": NOW_MS, **value}
        at = home(str(value.get("override_id", ""))) if partition is None else partition
        made = Record(Topic.CONTROLS, at, offset, json.dumps(full).encode(), NOW_MS + offset)
        self.controls.append(made)
        return made

    def run(self, *records: Record, desk: Desk | None = None) -> Decided:
        """A batch through the desk; nothing is published."""
        arrivals, bad = decode_records(records, NOW_MS)
        assert not bad, bad
        return (desk or self.desk).take(arrivals, [], NOW_MS)

    def publish(self, made: Decided, entries: int | None = None, overrides: bool = True) -> None:
        """What a worker publishes; of its entries the first so many, and overrides only if it
        came to them.
        """
        self.audit += made.entries[:entries]
        for partition, key, value in made.overrides if overrides else ():
            kept = self.overrides.setdefault(partition, {})
            if value is None:
                kept.pop(key.decode(), None)
            else:
                kept[key.decode()] = decode_kept(value)

    def say(self, kind: str, override_id: str = "o", **more: Any) -> Decided:
        """One control, worked off."""
        made = self.run(self.record(value_of(kind, override_id, **more)))
        self.publish(made)
        return made

    def standing(self, override_id: str = "o") -> Kept | None:
        """What `overrides` says of it."""
        return self.overrides.get(home(override_id), {}).get(override_id)

    def outcomes(self) -> list[str]:
        """Of all entries, in the order of the topic."""
        return [AuditEntry.read(value).outcome for _, value in self.audit]

    def faults(self) -> list[Fault]:
        """What a look at the log finds."""
        verifier = Verifier()
        for offset, (partition, value) in enumerate(self.audit):
            verifier.take(partition, offset, value)
        return verifier.faults()
