"""Whether an audit log is what was written: each partition's entries are read in the order of the
topic, and what was changed, is missing, stands out of order or was published again is told.

It finds what happened between two entries that are there. That the newest were cut off, or all of a
partition written anew, only somebody knows who noted the heads before (`heads`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from stream.chain.audit.entry import BEGINNING, canonical, digest_of

__all__ = ["Fault", "Verifier", "missing_ranges"]


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: changed, forked, missing, out_of_order, unreadable or cut_off. offset: of the record,
    None where none stands there.
    """

    kind: str
    partition: int
    seq: int | None
    offset: int | None
    detail: str


@dataclass(slots=True)
class _Partition:
    digests: dict[int, str] = field(default_factory=dict)
    prevs: dict[int, tuple[str, int]] = field(default_factory=dict)
    highest: int = -1


class Verifier:
    """Records in, one by one; then `faults`."""

    def __init__(self) -> None:
        self._found: list[Fault] = []
        self._partitions: dict[int, _Partition] = {}
        self.entries = 0
        self.repeats = 0

    def take(self, partition: int, offset: int, value: bytes | None) -> None:
        """The next record of a partition."""
        at = self._partitions.setdefault(partition, _Partition())
        try:
            told = orjson.loads(value or b"")
            seq, prev, stated = told["seq"], told["prev"], told["digest"]
            if type(seq) is not int or seq < 0 or type(prev) is not str:
                raise ValueError("its seq or prev is none")
            digest = digest_of(told)
        except (ValueError, TypeError, LookupError) as exc:
            self._note("unreadable", partition, None, offset, f"this is no entry: {exc}")
            return
        if digest != stated or canonical(told) != value:
            self._note(
                "changed",
                partition,
                seq,
                offset,
                f"its content has the digest {digest[:16]}…, it says {str(stated)[:16]}…",
            )
        if seq in at.digests:
            if at.digests[seq] == digest:
                self.repeats += 1
            else:
                self._note("forked", partition, seq, offset, "another entry has this number too")
            return
        self.entries += 1
        if seq < at.highest:
            self._note(
                "out_of_order", partition, seq, offset, f"it stands behind entry {at.highest}"
            )
        at.digests[seq] = digest
        at.prevs[seq] = (prev, offset)
        at.highest = max(at.highest, seq)

    def faults(self, heads: Mapping[int, tuple[int, str]] | None = None) -> list[Fault]:
        """All that was found. heads: of partitions the number and digest of an entry that was there
        when somebody looked.
        """
        found = list(self._found)
        for partition, at in sorted(self._partitions.items()):
            found += _links(partition, at)
            for first, last in missing_ranges(at.digests, at.highest):
                what = f"entry {first} is" if first == last else f"entries {first} to {last} are"
                found.append(Fault("missing", partition, first, None, f"{what} not there"))
        for partition, (seq, digest) in (heads or {}).items():
            known = self._partitions.get(partition, _Partition()).digests.get(seq)
            if known is None:
                detail = f"entry {seq} was there when the heads were noted"
                found.append(Fault("cut_off", partition, seq, None, detail))
            elif known != digest:
                detail = "it has another digest than when the heads were noted"
                found.append(Fault("changed", partition, seq, None, detail))
        return found

    def heads(self) -> dict[int, tuple[int, str]]:
        """Of each partition with entries the last one's number and digest."""
        return {
            partition: (at.highest, at.digests[at.highest])
            for partition, at in sorted(self._partitions.items())
            if at.digests
        }

    def counts(self) -> dict[str, Any]:
        """How many entries, and how many records that repeat one."""
        return dict(Counter(entries=self.entries, repeats=self.repeats))

    def _note(
        self, kind: str, partition: int, seq: int | None, offset: int | None, detail: str
    ) -> None:
        self._found.append(Fault(kind, partition, seq, offset, detail))


def _links(partition: int, at: _Partition) -> list[Fault]:
    """Entries that do not name the one before as it stands."""
    found = []
    for seq, (prev, offset) in sorted(at.prevs.items()):
        before = BEGINNING if seq == 0 else at.digests.get(seq - 1)
        if before is not None and prev != before:
            detail = (
                "it is the first, and names one before"
                if seq == 0
                else f"it names another entry before it than {seq - 1} as that stands: "
                f"{seq - 1} was changed, or this one"
            )
            found.append(Fault("changed", partition, seq, offset, detail))
    return found


def missing_ranges(seen: Mapping[int, str], highest: int) -> list[tuple[int, int]]:
    """The numbers from 0 to `highest` that are not among `seen`, as first and last."""
    found = []
    after = -1
    for seq in sorted(seen):
        if seq > after + 1:
            found.append((after + 1, seq - 1))
        after = seq
    return found
