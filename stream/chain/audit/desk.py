"""Where controls are ruled on and entered: of a micro-batch's controls the audit entries, what
stands of overrides after them, and what was refused.

The owner of a partition of `controls` is the one writer of the same partition of `audit` and
`overrides`. Entries are published before what they come to, so that what stands is never ahead of
the log; a control that comes again finds its entry, and only what may have been lost is published
once more. It knows nothing about Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stream.chain.audit.journal import Journal, Stood
from stream.chain.effects import Decided
from stream.chain.overrides.ledger import Outcome, Refusal, ruled
from stream.chain.overrides.record import encode_kept
from stream.chain.records import Arrival, letter_of
from stream.chain.scrub import scrub
from upwell.controls import KINDS_OF_OVERRIDES
from upwell.events import Control
from upwell.recommendations import DeadLetter

__all__ = ["Desk", "Rules"]

_PLAIN = (
    *("item_id", "override_id", "decision", "segment", "query", "match", "boost", "from_ts"),
    *("until_ts", "priority", "of_event", "version"),
)
"""Fields that an entry has as they came; users go in by pseudonym."""


@dataclass(frozen=True, slots=True)
class Rules:
    """approvals: how many others have to approve an override. pseudonym: of an app's user_id.
    partition_of: a record's key to its partition. stood: what stands on the topics of a partition;
    may block, and raise `BrokerError`.
    """

    approvals: int
    pseudonym: Callable[[str], str]
    partition_of: Callable[[bytes], int]
    stood: Callable[[int], Stood]


class Desk:
    """One thread calls it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._journals: dict[int, Journal] = {}
        self._moved = False

    def read_anew(self) -> None:
        """Partitions moved: what stands is read before the next batch, since another worker may
        have written. From any thread.
        """
        self._moved = True

    def take(
        self, arrivals: Iterable[Arrival], letters: Sequence[DeadLetter], now_ms: int
    ) -> Decided:
        """What comes of controls, in their order. letters: of those that the batch has refused
        already. now_ms: UTC ms, of new letters.
        """
        if self._moved:
            self._moved = False
            self._journals.clear()
        refused = {one.place: Refusal(one.reason, one.detail) for one in letters}
        made = Decided()
        for arrival in arrivals:
            if isinstance(arrival.event, Control):
                made = made.with_more(self._one(arrival, arrival.event, refused, now_ms))
        return made

    def _one(
        self, arrival: Arrival, control: Control, refused: Mapping[str, Refusal], now_ms: int
    ) -> Decided:
        override_id, partition = control.override_id, arrival.record.partition
        if override_id is not None and self._home(override_id) != partition:
            key, value = override_id.encode(), arrival.record.value or b""
            return Decided(strays=((key, value, arrival.record.trace),))
        journal = self._journal(partition)
        place = f"{arrival.record.topic}-{partition}-{arrival.offset}"
        known = None
        if journal.covers(arrival.source, arrival.offset):
            known = journal.entry_at(arrival.source, arrival.offset)
            if known is None or control.kind in KINDS_OF_OVERRIDES:
                refusal = None if known is None else known.refusal
                return self._again(journal, arrival, refusal, now_ms)
        what = self._what(control)
        ruling = refused.get(place) or self._ruled(journal, control)
        outcome = Outcome.REFUSED if isinstance(ruling, Refusal) else ruling
        if journal.heard(control, what) if known is None else known.outcome == outcome:
            return Decided()
        entry = journal.append(arrival, control, scrub(control.why), what, ruling)
        made = Decided(entries=((partition, entry.value()),))
        if control.kind not in KINDS_OF_OVERRIDES:
            return made
        return made.with_more(self._again(journal, arrival, entry.refusal, now_ms))

    def _ruled(self, journal: Journal, control: Control) -> Outcome | Refusal:
        kept = journal.kept.get(control.override_id or "")
        return ruled(kept, control, self._rules.approvals, len(journal.kept))

    def _again(
        self, journal: Journal, arrival: Arrival, refusal: tuple[str, str] | None, now_ms: int
    ) -> Decided:
        """What a control on an override comes to, beside its entry: what stands, or a letter."""
        override_id = getattr(arrival.event, "override_id", None)
        if override_id is None:
            return Decided()
        if refusal is not None:
            return Decided(letters=(letter_of(arrival, *refusal, now_ms),))
        kept = journal.kept.get(override_id)
        value = None if kept is None else encode_kept(kept)
        return Decided(overrides=((arrival.record.partition, override_id.encode(), value),))

    def _what(self, control: Control) -> dict[str, Any]:
        told = {name: getattr(control, name) for name in _PLAIN}
        named = {"user": control.user_id, "from_user": control.from_user}
        told |= {name: self._rules.pseudonym(one) for name, one in named.items() if one is not None}
        if control.decision is not None:
            told["needs"] = self._rules.approvals
        return {name: one for name, one in told.items() if one is not None}

    def _home(self, override_id: str) -> int:
        return self._rules.partition_of(override_id.encode())

    def _journal(self, partition: int) -> Journal:
        if partition not in self._journals:
            self._journals[partition] = Journal(self._rules.stood(partition))
        return self._journals[partition]
