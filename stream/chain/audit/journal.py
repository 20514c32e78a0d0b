"""One partition of the audit log as its writer sees it: where the chain ends, which controls have
their entry, and what the entries come to for the overrides of that partition.

After a start, and after partitions moved, it is made of what stands on the topics; so an entry that
was published before a crash is not written a second time. It knows nothing about Kafka.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from stream.chain.audit.entry import BEGINNING, AuditEntry
from stream.chain.overrides.ledger import Kept, Outcome, Refusal, applied
from stream.chain.records import Arrival
from upwell.events import Control, ControlKind

__all__ = ["TAIL", "Journal", "Stood"]

TAIL = 1_000
"""Entries of a partition that are read at its start and held: more than a worker has fetched and
not acknowledged.
"""


@dataclass(frozen=True, slots=True)
class Stood:
    """What stands on a partition: kept, by override_id, on `overrides`; the newest entries on
    `audit`, in the order of the topic.
    """

    kept: Mapping[str, Kept] = field(default_factory=dict)
    entries: tuple[AuditEntry, ...] = ()


class Journal:
    """One thread owns it."""

    def __init__(self, stood: Stood) -> None:
        self.kept = dict(stood.kept)
        self._tail: deque[AuditEntry] = deque(maxlen=TAIL)
        self._reached: dict[str, int] = {}
        self._heard: set[tuple[Any, ...]] = set()
        for entry in _in_order(stood.entries):
            self._take(entry)

    def entry_at(self, source: str, offset: int) -> AuditEntry | None:
        """The newest entry of the control that stands there, as far back as entries are held."""
        return next(
            (one for one in reversed(self._tail) if (one.source, one.offset) == (source, offset)),
            None,
        )

    def covers(self, source: str, offset: int) -> bool:
        """Whether the control that stands there has its entry."""
        return offset <= self._reached.get(source, -1)

    def heard(self, control: Control, what: Mapping[str, Any]) -> bool:
        """Whether the same was said before under the same event_id: a retry, which counts once."""
        return _said(control.kind, control.event_id, control.by, what) in self._heard

    def append(
        self,
        arrival: Arrival,
        control: Control,
        why: str,
        what: Mapping[str, Any],
        ruling: Outcome | Refusal,
    ) -> AuditEntry:
        """The next entry, taken in."""
        refused = isinstance(ruling, Refusal)
        last = self._tail[-1] if self._tail else None
        entry = AuditEntry(
            seq=0 if last is None else last.seq + 1,
            prev=BEGINNING if last is None else last.digest,
            at=arrival.record.appended_ms,
            ts=control.ts,
            who=control.by,
            why=why,
            kind=str(control.kind),
            what=what,
            outcome=str(Outcome.REFUSED if refused else ruling),
            event_id=control.event_id,
            source=arrival.source,
            offset=arrival.offset,
            refusal=(ruling.reason, ruling.detail) if isinstance(ruling, Refusal) else None,
        )
        self._take(entry)
        return entry

    def _take(self, entry: AuditEntry) -> None:
        if len(self._tail) == TAIL:
            self._heard.discard(_said_by(self._tail[0]))
        self._tail.append(entry)
        self._heard.add(_said_by(entry))
        self._reached[entry.source] = max(entry.offset, self._reached.get(entry.source, -1))
        self._apply(entry)

    def _apply(self, entry: AuditEntry) -> None:
        override_id = entry.what.get("override_id")
        if override_id is None:
            return
        before = self.kept.get(override_id)
        if before is not None and before.seq >= entry.seq:
            return
        said = {"by": entry.who, "why": entry.why, "event_id": entry.event_id, "at": entry.at}
        kind, outcome = ControlKind(entry.kind), Outcome(entry.outcome)
        after = applied(before, entry.seq, kind, outcome, entry.who, {**said, **entry.what})
        if after is None:
            self.kept.pop(override_id, None)
        else:
            self.kept[override_id] = after


def _in_order(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Each once: a worker that stood still may have published some once more, behind others."""
    return [entry for _, entry in sorted({entry.seq: entry for entry in entries}.items())]


def _said(kind: str, event_id: str, by: str, what: Mapping[str, Any]) -> tuple[Any, ...]:
    """As JSON has it: of an entry that was read, too."""
    told = {name: one for name, one in what.items() if name != "needs"}
    return str(kind), event_id, by, orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _said_by(entry: AuditEntry) -> tuple[Any, ...]:
    return _said(entry.kind, entry.event_id, entry.who, entry.what)
